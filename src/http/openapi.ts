import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { BEARER_ERRORS } from '../guard/bearer.error.js';
import { WIRE_ERRORS, type WireErrorCode } from './wire-error.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Every route may answer these; those with a body also the second list. */
const EVERYWHERE: readonly WireErrorCode[] = ['invalid_request', 'server_error', 'temporarily_unavailable'];
const WITH_BODY: readonly WireErrorCode[] = ['payload_too_large', 'unsupported_media_type'];

export interface DocumentOptions {
  readonly issuer: string;
  readonly version: string;
}

/** OpenAPI at `/docs-json`, Swagger UI at `/docs`. */
export function serveDocuments(app: INestApplication, options: DocumentOptions): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, options), {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: 'Keks',
    swaggerOptions: { persistAuthorization: false, displayRequestDuration: true, tryItOutEnabled: true },
  });
}

export function openApiDocument(app: INestApplication, { issuer, version }: DocumentOptions): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Keks')
    .setDescription(
      'A bearer-token authority, and the Cookie Factory that it protects. POST /issue gives a token; "Authorize" takes it.',
    )
    .setVersion(version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer(issuer)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A token from POST /issue.' }, 'bearer');
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (_controller, method) => method,
  });
  for (const path of Object.values(document.paths))
    for (const method of METHODS) if (path[method]) addCommonErrors(path[method]);
  return document;
}

function addCommonErrors(operation: Operation): void {
  const own = [...EVERYWHERE, ...(operation.requestBody ? WITH_BODY : [])].map(
    (code) => [code, ...WIRE_ERRORS[code]] as const,
  );
  const guards = (['unauthorized', 'insufficient_scope'] as const).map(
    (code) => [code, ...BEARER_ERRORS[code]] as const,
  );
  for (const [code, status, description] of operation.security?.length ? [...guards, ...own] : own) {
    operation.responses[String(status)] ??= {
      description: `\`${code}\`: ${description}`,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    };
  }
}
