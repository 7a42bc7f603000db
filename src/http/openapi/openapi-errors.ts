import type { OpenAPIObject } from '@nestjs/swagger';
import type { BearerErrorCode } from 'keks-guard';
import { BEARER_ERRORS } from 'keks-guard/internals';
import { WIRE_ERRORS, WireError, type WireErrorCode } from '../errors/wire-error.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Response = Exclude<Operation['responses'][string], { $ref: string } | undefined>;
type ErrorCode = WireErrorCode | BearerErrorCode;
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

interface ErrorBody {
  readonly error: string;
  readonly error_description: string;
  readonly parameter?: string;
}

interface Entry {
  readonly status: number;
  readonly body: ErrorBody;
}

/** Every route may answer the first list, guarded routes also the second, and routes with a body also the third. */
const EVERYWHERE = ['invalid_request', 'server_error', 'temporarily_unavailable'] as const;
const GUARDED = [
  'unauthorized',
  'invalid_token',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'insufficient_scope',
  'invalid_request',
  'temporarily_unavailable',
] as const;
const WITH_BODY = ['payload_too_large', 'unsupported_media_type'] as const;

const CHALLENGE = { 'WWW-Authenticate': header('How to authenticate (RFC 9110 §11.6.1).') };
const PATIENCE = { 'Retry-After': header('Seconds to wait before the next attempt.') };
const NONCE = { 'DPoP-Nonce': header('What the next proof has to say as its `nonce` (RFC 9449 §8).') };
const REQUEST_ID = { 'X-Request-Id': header('The id under which the log knows this request.') };
const HEADERS: Readonly<Record<number, NonNullable<Response['headers']>>> = {
  401: CHALLENGE,
  403: CHALLENGE,
  429: PATIENCE,
  500: REQUEST_ID,
  503: PATIENCE,
};

/**
 * Adds the errors to an operation that every route, the guard and a body bring.
 * @param readsBody whether the server reads a body for this method, even if the operation uses none
 */
export function addErrors(operation: Operation, readsBody: boolean, schemas: Schemas = {}): void {
  const guarded = operation.security?.some((scheme) => 'bearer' in scheme);
  const entries = [
    ...ownErrors(operation),
    ...(guarded ? GUARDED.map(bearerEntry) : []),
    ...[...EVERYWHERE, ...(readsBody ? WITH_BODY : [])].map(wireEntry),
    ...requiredOf(operation, schemas).slice(0, 1).map(missingEntry),
  ];
  const byStatus = new Map<number, Map<string, ErrorBody>>();
  for (const { status, body } of entries) {
    // the guard has its own sentences for codes that other code uses too
    const bodies = byStatus.get(status) ?? new Map<string, ErrorBody>();
    byStatus.set(status, bodies.set(body.error_description, body));
  }
  for (const [status, bodies] of byStatus)
    operation.responses[String(status)] = response(status, [...bodies.values()]);
}

/** The errors that `@ApiErrors` has named on the route itself. Their descriptions name the codes. */
function ownErrors(operation: Operation): Entry[] {
  return Object.entries(operation.responses).flatMap(([status, answer]) => {
    if (Number(status) < 400 || !answer || !('description' in answer)) return [];
    const named = [...(answer.description ?? '').matchAll(/`([a-z_]+)`:/g)].map(([, code]) => code ?? '');
    return named.filter(isCode).map((code) => (code in WIRE_ERRORS ? wireEntry(code) : bearerEntry(code)));
  });
}

function isCode(code: string): code is ErrorCode {
  return code in WIRE_ERRORS || code in BEARER_ERRORS;
}

function wireEntry(code: ErrorCode): Entry {
  return entryOf(new WireError(code as WireErrorCode));
}

function bearerEntry(code: ErrorCode): Entry {
  const [status, sentence] = BEARER_ERRORS[code as BearerErrorCode];
  return { status, body: { error: code, error_description: sentence } };
}

/** An example of an error that says more than its code. */
function missingEntry(parameter: string): Entry {
  return entryOf(WireError.because('missing', parameter));
}

function entryOf(error: WireError): Entry {
  return { status: error.getStatus(), body: error.getResponse() as ErrorBody };
}

/** The members that a body must have. */
function requiredOf({ requestBody }: Operation, schemas: Schemas): string[] {
  if (!requestBody || !('content' in requestBody)) return [];
  const [media] = Object.values(requestBody.content);
  const { schema } = media ?? {};
  const whole =
    schema && '$ref' in schema ? schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] : schema;
  return whole && 'required' in whole ? (whole.required ?? []) : [];
}

function response(status: number, bodies: readonly ErrorBody[]): Response {
  const used = new Map<string, number>();
  const examples = bodies.map((body) => {
    const times = (used.get(body.error) ?? 0) + 1;
    used.set(body.error, times);
    return [times === 1 ? body.error : `${body.error}_${times}`, { value: body }] as const;
  });
  const [first] = examples;
  const headers = { ...HEADERS[status], ...(used.has('use_dpop_nonce') && NONCE) };
  return {
    // CommonMark would take an unescaped <token> as HTML and drop it
    description: bodies
      .map(({ error, error_description: said }) => `\`${error}\`: ${said.replaceAll('<', '\\<')}`)
      .join(' '),
    ...(Object.keys(headers).length > 0 && { headers }),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Error' },
        ...(examples.length === 1
          ? { example: first?.[1].value }
          : { examples: Object.fromEntries(examples) }),
      },
    },
  };
}

function header(description: string): { description: string; schema: { type: 'string' } } {
  return { description, schema: { type: 'string' } };
}
