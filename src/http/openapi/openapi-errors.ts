import type { OpenAPIObject } from '@nestjs/swagger';
import { BEARER_ERRORS, type BearerErrorCode } from '../../guard/bearer-error.js';
import { WIRE_ERRORS, type WireErrorCode } from '../errors/wire-error.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Response = Exclude<Operation['responses'][string], { $ref: string } | undefined>;
type ErrorCode = WireErrorCode | BearerErrorCode;
type Entry = readonly [code: ErrorCode, status: number, sentence: string];

/** Every route may answer these; guarded ones also the second list, those with a body the third. */
const EVERYWHERE = ['invalid_request', 'server_error', 'temporarily_unavailable'] as const;
const GUARDED = [
  'unauthorized',
  'invalid_token',
  'insufficient_scope',
  'invalid_request',
  'temporarily_unavailable',
] as const;
const WITH_BODY = ['payload_too_large', 'unsupported_media_type'] as const;

const CHALLENGE = { 'WWW-Authenticate': header('How to authenticate (RFC 9110 §11.6.1).') };
const PATIENCE = { 'Retry-After': header('Seconds to wait before the next attempt.') };
const REQUEST_ID = { 'X-Request-Id': header('The id under which the log knows this request.') };
const HEADERS: Readonly<Record<number, NonNullable<Response['headers']>>> = {
  401: CHALLENGE,
  403: CHALLENGE,
  429: PATIENCE,
  500: REQUEST_ID,
  503: PATIENCE,
};

/**
 * Completes an operation's errors: those that come with every route, with the guard and with a body.
 * @param readsBody whether the method's body is read, even if the operation has no use for one
 */
export function addErrors(operation: Operation, readsBody: boolean): void {
  const guarded = operation.security?.some((scheme) => 'bearer' in scheme);
  const entries = [
    ...ownErrors(operation),
    ...(guarded ? GUARDED.map((code): Entry => [code, ...BEARER_ERRORS[code]]) : []),
    ...[...EVERYWHERE, ...(readsBody ? WITH_BODY : [])].map(wireEntry),
  ];
  const byStatus = new Map<number, Map<string, ErrorCode>>();
  for (const [code, status, sentence] of entries) {
    // the guard has sentences of its own for codes that others use too
    const codes = byStatus.get(status) ?? new Map<string, ErrorCode>();
    byStatus.set(status, codes.set(sentence, code));
  }
  for (const [status, codes] of byStatus) operation.responses[String(status)] = response(status, codes);
}

/** Those that `@ApiErrors` has named on the route itself. Their descriptions name the codes. */
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
  return [code, ...WIRE_ERRORS[code as WireErrorCode]];
}

function bearerEntry(code: ErrorCode): Entry {
  return [code, ...BEARER_ERRORS[code as BearerErrorCode]];
}

/** @param codes by the sentence that comes with each */
function response(status: number, codes: ReadonlyMap<string, ErrorCode>): Response {
  const used = new Map<string, number>();
  const examples = [...codes].map(([sentence, code]) => {
    const times = (used.get(code) ?? 0) + 1;
    used.set(code, times);
    const name = times === 1 ? code : `${code}_${times}`;
    return [name, { value: { error: code, error_description: sentence } }] as const;
  });
  const [first] = examples;
  return {
    // CommonMark: an unescaped <token> would be taken for HTML and vanish
    description: [...codes]
      .map(([sentence, code]) => `\`${code}\`: ${sentence.replaceAll('<', '\\<')}`)
      .join(' '),
    ...(HEADERS[status] && { headers: HEADERS[status] }),
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
