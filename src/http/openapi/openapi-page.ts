import type { OpenAPIObject } from '@nestjs/swagger';
import { clientCredentials } from './openapi-access.js';

type Components = NonNullable<OpenAPIObject['components']>;
type Schemas = NonNullable<Components['schemas']>;

const FORM = 'application/x-www-form-urlencoded';

/** What the page has of Swagger UI, and of us. */
interface Page {
  readonly ui: { preauthorizeApiKey(scheme: string, token: string): void };
  /** The last one of POST /issue, and the last one of POST /oauth/token: a client may revoke its own only. */
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
 * Runs in the browser. What is refused with a Basic challenge (RFC 6749 §5.2) would otherwise wait behind the browser's own
 * dialogue for a password, and the page would never show the error. The page sends its credentials itself. No document can
 * contain a token that works, so the last one that was issued goes where an example has none.
 */
export function beforeRequest(request: PageRequest): PageRequest {
  const page = globalThis as unknown as Page;
  const issued = request.url.includes('/oauth/') ? page.ofClient : page.ofLogin;
  request.credentials = 'omit';
  if (issued && typeof request.body === 'string') request.body = request.body.replace('kat_...', issued);
  return request;
}

/** Runs in the browser: a token that POST /issue has answered is the page's from then on, until "Authorize" is asked to forget it. */
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
 * The document as the page has it, which other programs would not want: it asks where it came from, because as
 * http://localhost it may not ask http://127.0.0.1; and of a form it fills in what is required, and not everything else
 * with the word "string".
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
      securitySchemes: { ...securitySchemes, ...clientCredentials(document.paths, './oauth/token') },
    },
  };
}

/** With nothing in what may be left out: OAuth takes an empty parameter for an absent one (RFC 6749 §3.2). */
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
