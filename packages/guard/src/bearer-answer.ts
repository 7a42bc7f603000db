/** What a guarded route can answer instead of its handler: status and the one constant sentence of each. */
export const BEARER_ERRORS = {
  unauthorized: [
    401,
    'A bearer token is needed: get one from the authority with POST /issue and send it in the Authorization header, after the word Bearer.',
  ],
  invalid_request: [
    400,
    'The Authorization header must be one line of the form Bearer, a space, the token; and the token must be nowhere else.',
  ],
  invalid_token: [401, 'The token is expired, revoked or not valid here.'],
  insufficient_scope: [403, 'The token is valid but does not carry the scope that this address needs.'],
  temporarily_unavailable: [503, 'The token could not be checked right now: try again shortly.'],
} as const satisfies Record<string, readonly [number, string]>;

export type BearerErrorCode = keyof typeof BEARER_ERRORS;

/** The challenge's fixed part. All of it comes from configuration, never from the request. */
export interface Challenge {
  readonly realm: string;
  /** Absolute URL of the RFC 9728 document, where there is one. */
  readonly resourceMetadata?: string | undefined;
}

/** All of a refusal, whatever framework sends it. */
export interface BearerAnswer {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: BearerErrorCode; readonly error_description: string };
}

/**
 * RFC 6750 §3.1: three errors, and the plain challenge that names none. And 503, which is no verdict.
 * @param scope what the route wants, said with `unauthorized` and `insufficient_scope`
 */
export function bearerAnswer(
  code: BearerErrorCode,
  challenge: Challenge,
  scope: readonly string[] = [],
): BearerAnswer {
  const [status, description] = BEARER_ERRORS[code];
  const header =
    code === 'temporarily_unavailable' ? undefined : challengeHeader(code, description, challenge, scope);
  return Object.freeze({
    status,
    challenge: header,
    headers: Object.freeze({
      'Cache-Control': 'no-store',
      ...(header === undefined ? { 'Retry-After': '1' } : { 'WWW-Authenticate': header }),
    }),
    body: Object.freeze({ error: code, error_description: description }),
  });
}

function challengeHeader(
  code: BearerErrorCode,
  description: string,
  challenge: Challenge,
  scope: readonly string[],
): string {
  const parts = [`Bearer realm=${quoted(challenge.realm)}`];
  if (code !== 'unauthorized')
    parts.push(`error=${quoted(code)}`, `error_description=${quoted(description)}`);
  if (scope.length > 0 && (code === 'unauthorized' || code === 'insufficient_scope'))
    parts.push(`scope=${quoted(scope.join(' '))}`);
  if (challenge.resourceMetadata) parts.push(`resource_metadata=${quoted(challenge.resourceMetadata)}`);
  return parts.join(', ');
}

/** quoted-string of RFC 9110 §5.6.4. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
