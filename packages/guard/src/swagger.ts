import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiResponse } from '@nestjs/swagger';
import { BEARER_ERRORS, type BearerErrorCode } from './bearer-answer.js';
import { GUARDED, RequireScope } from './principal.js';

type RouteDecorator = MethodDecorator & ClassDecorator;

/** The extension in which an operation of the document names its scope: OpenAPI 3.0 has no place for scopes beside `bearer`. */
export const SCOPE_EXTENSION = 'x-required-scope';

const CHALLENGE = { 'WWW-Authenticate': header('What is wanted (RFC 6750 §3).') };
const HEADERS: Readonly<Record<number, Record<string, ReturnType<typeof header>>>> = {
  400: CHALLENGE,
  401: CHALLENGE,
  403: CHALLENGE,
  503: { 'Retry-After': header('Seconds.') },
};

const SCHEMA = {
  type: 'object',
  required: ['error', 'error_description'],
  properties: { error: { type: 'string' }, error_description: { type: 'string' } },
};

/**
 * `@RequireScope(...scopes)`, and what the guard adds to the route in the OpenAPI document: the scheme `bearer`, under the name
 * that `DocumentBuilder#addBearerAuth()` gives it, the scope as `x-required-scope`, and the answers 400, 401, 403 and 503.
 * Without a scope, any good token opens the route.
 * @throws TypeError for what is no scope
 */
export function Guarded(...scopes: string[]): RouteDecorator {
  const codes = Object.keys(BEARER_ERRORS) as BearerErrorCode[];
  const answered = codes.filter((code) => code !== 'insufficient_scope' || scopes.length > 0);
  const statuses = new Set(answered.map((code) => BEARER_ERRORS[code][0]));
  return applyDecorators(
    SetMetadata(GUARDED, true),
    ...(scopes.length === 0
      ? []
      : [RequireScope(...(scopes as [string])), ApiExtension(SCOPE_EXTENSION, scopes)]),
    ApiBearerAuth('bearer'),
    ...[...statuses].map((status) =>
      ApiRefusal(
        status,
        answered.filter((code) => BEARER_ERRORS[code][0] === status),
      ),
    ),
  );
}

function ApiRefusal(status: number, codes: readonly BearerErrorCode[]): RouteDecorator {
  const examples = codes.map((error) => {
    return [error, { value: { error, error_description: BEARER_ERRORS[error][1] } }] as const;
  });
  return ApiResponse({
    status,
    description: codes.map((code) => `\`${code}\``).join(' or '),
    headers: HEADERS[status] ?? {},
    content: { 'application/json': { schema: SCHEMA, examples: Object.fromEntries(examples) } },
  });
}

function header(description: string): { description: string; schema: { type: 'string' } } {
  return { description, schema: { type: 'string' } };
}
