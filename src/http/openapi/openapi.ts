/** Owns the OpenAPI document and Swagger UI. Never owns what a route does. */
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { afterAnswer, beforeRequest, forPage } from './openapi-page.js';
import { protectReference } from './reference-files.js';
import { addAccess, oauthFlows } from './openapi-access.js';
import { addErrors } from './openapi-errors.js';
import { addExamples } from './openapi-examples.js';
import { addLock, locksOf, type Lock } from './openapi-locks.js';
import { easeSchemas } from './openapi-schemas.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Methods whose body the server reads, even if the route uses none. */
const WITH_BODY: readonly string[] = ['post', 'put', 'patch'];

/** The groups of the page, in their order. Each operation belongs to one group. */
const TAGS: Readonly<Record<string, string>> = {
  tokens: 'The authority: a password in, a token out; a token in, a verdict out; and back at once.',
  oauth: 'OAuth 2 for systems. "Authorize" as a client first; forms in, JSON out.',
  cookies: 'The Cookie Factory, an API behind the guard. "Authorize" with a token first.',
  account: 'Your own logins and your password. Only for somebody who has logged in.',
  keys: 'Long-lived keys for scripts and services. Only for somebody who has logged in.',
  discovery: 'What programs find out by themselves: endpoints, scopes, public keys.',
  admin: 'For operators: users, clients, grants and the audit log. The token carries `keks:admin`.',
  operating: 'For balancers and operators. No token needed.',
  pages: 'For people with a browser.',
};

const DESCRIPTION = `A bearer-token authority, and the Cookie Factory that it protects.

1. **POST /issue** with the example gives a token (the demo user exists with the embedded database only). This page
   sends it from then on, also in place of \`kat_...\` in an example. **Authorize** shows that, forgets it, and takes another
   one under \`bearer\`, without the word "Bearer".
2. **GET /cookies** then answers three cookies; after **POST /revoke** it answers 401.

As a program: \`npm run -s keks -- client add NAME --scope cookies:eat\` prints a \`client_id\` and its secret. Under
\`oauth2\`, **Authorize** gets a token for them; under \`client\`, they open \`/oauth/*\`.

Every error has one shape, \`{"error", "error_description"}\`, and its code is one of a closed list.`;

/**
 * What the page may do: load its own scripts and call its own server. No other page may frame it. People type passwords
 * on this page. Swagger UI styles its elements inline, and draws icons from `data:`.
 */
const pagePolicy = (servers: string): string =>
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  `connect-src ${servers}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/**
 * Hides what only distracts: the logo bar, a column of links that no operation has, a choice of servers although the
 * page may call only one, and text on scopes that is about flows we do not have.
 */
const PAGE_STYLE =
  '.swagger-ui :is(.topbar, .response-col_links, .servers-title, .servers, .scope-def) { display: none }';

/** The lock of a route that the guard knows nothing about. */
const CLOSED: Lock = { open: false, scope: [] };

export interface DocumentOptions {
  readonly issuer: string;
  readonly version: string;
  /** The scope that only a login has. So no client is offered the routes that need it. */
  readonly personalScope: string;
  /** True if the document has another address than the API. */
  readonly apart?: boolean;
}

/**
 * Serves OpenAPI at `/docs-json` and Swagger UI at `/docs`.
 * @param document the document, if it is not about the application that serves it
 */
export function serveDocuments(
  where: INestApplication,
  options: DocumentOptions,
  document: () => OpenAPIObject = () => openApiDocument(where, options),
): void {
  const policy = pagePolicy(options.apart ? `'self' ${new URL(options.issuer).origin}` : "'self'");
  protectReference(where.getHttpAdapter().getInstance() as FastifyInstance, policy);
  SwaggerModule.setup('docs', where, document, {
    raw: ['json'],
    ...(!options.apart && { patchDocumentOnRequest: forPage }),
    jsonDocumentUrl: 'docs-json',
    customSiteTitle: 'Keks',
    customCss: PAGE_STYLE,
    swaggerOptions: {
      deepLinking: true,
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      persistAuthorization: false,
      tryItOutEnabled: true,
      // otherwise Swagger UI would ask another company's server to validate the document
      validatorUrl: 'none',
      requestInterceptor: beforeRequest,
      responseInterceptor: afterAnswer,
      oauth2RedirectUrl: `${options.issuer}/docs/oauth2-redirect.html`,
      initOAuth: { usePkceWithAuthorizationCodeGrant: true },
    },
  });
}

export function openApiDocument(app: INestApplication, options: DocumentOptions): OpenAPIObject {
  const document = SwaggerModule.createDocument(app, description(options), {
    operationIdFactory: operationId,
  });
  easeSchemas(document);
  const locks = locksOf(app, operationId);
  const used = new Set<string>();
  for (const path of Object.values(document.paths))
    for (const method of METHODS) {
      const operation = path[method];
      if (!operation) continue;
      addLock(operation, locks.get(operation.operationId ?? '') ?? CLOSED);
      addErrors(operation, WITH_BODY.includes(method), document.components?.schemas);
      addAccess(operation, options.personalScope);
      addExamples(operation, document.components?.schemas ?? {});
      operation.tags?.forEach((tag) => used.add(tag));
    }
  Object.assign(
    ((document.components ??= {}).securitySchemes ??= {}),
    oauthFlows(document.paths, `${options.issuer}/oauth`),
  );
  dropUnusedLocks(document);
  document.tags = Object.entries(TAGS).flatMap(([name, text]) =>
    used.has(name) ? [{ name, description: text }] : [],
  );
  return document;
}

/** Drops the security schemes of features that are switched off. */
function dropUnusedLocks({ paths, components }: OpenAPIObject): void {
  const operations = Object.values(paths).flatMap((path) => METHODS.map((method) => path[method]));
  const used = new Set(operations.flatMap((one) => (one?.security ?? []).flatMap(Object.keys)));
  for (const name of Object.keys(components?.securitySchemes ?? {}))
    if (!used.has(name)) delete components?.securitySchemes?.[name];
}

function description({ issuer, version }: DocumentOptions): Omit<OpenAPIObject, 'paths'> {
  return new DocumentBuilder()
    .setTitle('Keks')
    .setDescription(DESCRIPTION)
    .setVersion(version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer(issuer, 'the public address')
    .addSecurity('bearer', {
      type: 'http',
      scheme: 'bearer',
      description:
        'A token from POST /issue. One that is bound to a key goes after the word `DPoP`, with a proof in the header `DPoP` (RFC 9449).',
    })
    .addSecurity('client', { type: 'http', scheme: 'basic', description: 'A client_id and its secret.' })
    .addSecurity('registration', {
      type: 'http',
      scheme: 'bearer',
      description: 'The registration access token of a client that registered itself.',
    })
    .addSecurity('initial', {
      type: 'http',
      scheme: 'bearer',
      description: 'An initial access token, with which a client may register itself.',
    })
    .build();
}

function operationId(controller: string, method: string): string {
  return `${resource(controller)}_${method}`;
}

/** `AuthController` -> `auth`: controllers may have the same method names, but operation ids must be unique. */
function resource(controller: string): string {
  const name = controller.replace(/Controller$/, '');
  return name.charAt(0).toLowerCase() + name.slice(1);
}
