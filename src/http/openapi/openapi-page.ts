import type { OpenAPIObject } from '@nestjs/swagger';
import { oauthFlows } from './openapi-access.js';

type Components = NonNullable<OpenAPIObject['components']>;
type Schemas = NonNullable<Components['schemas']>;

const FORM = 'application/x-www-form-urlencoded';

/** The globals of the page, from Swagger UI and from us. */
interface Page {
  readonly ui: { preauthorizeApiKey(scheme: string, token: string): void };
  /** The last token of POST /issue, and the last one of POST /oauth/token: a client may revoke only its own tokens. */
  ofLogin?: string;
  ofClient?: string;
}

interface PageRequest {
  readonly url: string;
  credentials?: string;
  body?: unknown;
}

interface PageAnswer {
  readonly url: string;
  readonly ok: boolean;
  readonly body?: { readonly token?: string; readonly access_token?: string };
}

/**
 * Runs in the browser. The page sends its credentials itself. Otherwise a request that is refused with a Basic
 * challenge (RFC 6749 §5.2) would wait behind the browser's own password dialogue, and the page would never show the
 * error. No document can contain a token that works, so the last issued token replaces the token of the examples.
 */
export function beforeRequest(request: PageRequest): PageRequest {
  const page = globalThis as unknown as Page;
  const issued = request.url.includes('/oauth/') ? page.ofClient : page.ofLogin;
  request.credentials = 'omit';
  if (issued && typeof request.body === 'string') request.body = request.body.replace('kat_...', issued);
  return request;
}

/**
 * Runs in the browser. The page uses a token from POST /issue from then on, until "Authorize" is asked to forget it.
 */
export function afterAnswer(response: PageAnswer): PageAnswer {
  const page = globalThis as unknown as Page;
  const { token, access_token: ofClient } = response.body ?? {};
  if (response.ok && ofClient) page.ofClient = ofClient;
  if (response.ok && token && new URL(response.url).pathname.endsWith('/issue')) {
    page.ofLogin = token;
    page.ui.preauthorizeApiKey('bearer', token);
  }
  return response;
}

/**
 * The document for the page, with two changes that other programs would not want. The server is where the page came
 * from, because a page at http://localhost may not call http://127.0.0.1. And in forms only the required members have
 * values: otherwise the page fills in the word "string" everywhere.
 */
export function forPage(request: unknown, _: unknown, document: OpenAPIObject): OpenAPIObject {
  const { url = '' } = request as { url?: string };
  if (!url.split('?')[0]?.endsWith('.js')) return document;
  const { securitySchemes, schemas = {} } = document.components ?? {};
  return {
    ...document,
    servers: [{ url: '.' }],
    components: {
      ...document.components,
      schemas: { ...schemas, ...sparseForms(document, schemas) },
      securitySchemes: { ...securitySchemes, ...oauthFlows(document.paths, './oauth') },
    },
  };
}

/**
 * The forms, with an empty example for each optional member: OAuth takes an empty parameter as absent (RFC 6749 §3.2).
 */
function sparseForms(document: OpenAPIObject, schemas: Schemas): Schemas {
  const forms: Schemas = {};
  for (const { post } of Object.values(document.paths)) {
    const media =
      post?.requestBody && 'content' in post.requestBody ? post.requestBody.content[FORM] : undefined;
    const name = media?.schema && '$ref' in media.schema ? media.schema.$ref.split('/').at(-1) : undefined;
    const schema = name === undefined ? undefined : schemas[name];
    if (name === undefined || schema === undefined || '$ref' in schema) continue;
    const members = Object.entries(schema.properties ?? {}).map(([member, one]) => {
      return [member, schema.required?.includes(member) ? one : { ...one, example: '' }] as const;
    });
    forms[name] = { ...schema, properties: Object.fromEntries(members) };
  }
  return forms;
}
