import { PROOF_FLAWS, type ProofFlaw } from './dpop-flaws.js';

/** What a guarded route can answer when its handler does not run: for each answer a status and one constant sentence. */
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
  invalid_dpop_proof: [401, 'The proof that came with the token is missing, or not good for this request.'],
  use_dpop_nonce: [401, PROOF_FLAWS.proof_nonce[1]],
  insufficient_scope: [403, 'The token is valid but does not carry the scope that this address needs.'],
  temporarily_unavailable: [503, 'The token could not be checked right now: try again shortly.'],
} as const satisfies Record<string, readonly [number, string]>;

export type BearerErrorCode = keyof typeof BEARER_ERRORS;

/** The fixed part of the challenge. All of it comes from configuration, never from the request. */
export interface Challenge {
  readonly realm: string;
  /** Absolute URL of the RFC 9728 document, where there is one. */
  readonly resourceMetadata?: string | undefined;
}

/** The route wants a token that is bound to a key, or such a token came (RFC 9449 §7.1). */
export interface DpopChallenge {
  readonly algs: string;
  readonly flaw?: ProofFlaw;
  /** For the next proof. */
  readonly nonce?: string | undefined;
}

/** The whole refusal, the same for every framework that sends it. */
export interface BearerAnswer {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: BearerErrorCode; readonly error_description: string };
}

/** Replaces the sentence of `unauthorized` where only a bound token opens the route. */
export const WANTS_DPOP =
  'A token that is bound to a key is needed: send it in the Authorization header, after the word DPoP, and a proof by that key in the header DPoP (RFC 9449).';

/**
 * RFC 6750 §3.1: three errors, and the plain challenge that names no error. 503 is added: it is no verdict about the token.
 * @param scope what the route wants; `unauthorized` and `insufficient_scope` name it
 */
export function bearerAnswer(
  code: BearerErrorCode,
  challenge: Challenge,
  scope: readonly string[] = [],
  dpop?: DpopChallenge,
): BearerAnswer {
  const status = BEARER_ERRORS[code][0];
  const description = descriptionOf(code, dpop);
  const header =
    code === 'temporarily_unavailable'
      ? undefined
      : challengeHeader(code, description, challenge, scope, dpop);
  return Object.freeze({
    status,
    challenge: header,
    headers: Object.freeze({
      'Cache-Control': 'no-store',
      ...(header === undefined ? { 'Retry-After': '1' } : { 'WWW-Authenticate': header }),
      ...(dpop?.nonce !== undefined && { 'DPoP-Nonce': dpop.nonce }),
    }),
    body: Object.freeze({ error: code, error_description: description }),
  });
}

function descriptionOf(code: BearerErrorCode, dpop: DpopChallenge | undefined): string {
  if (dpop?.flaw) return PROOF_FLAWS[dpop.flaw][1];
  return dpop && code === 'unauthorized' ? WANTS_DPOP : BEARER_ERRORS[code][1];
}

function challengeHeader(
  code: BearerErrorCode,
  description: string,
  challenge: Challenge,
  scope: readonly string[],
  dpop: DpopChallenge | undefined,
): string {
  const parts = [`${dpop ? 'DPoP' : 'Bearer'} realm=${quoted(challenge.realm)}`];
  if (code !== 'unauthorized')
    parts.push(`error=${quoted(code)}`, `error_description=${quoted(description)}`);
  if (scope.length > 0 && (code === 'unauthorized' || code === 'insufficient_scope'))
    parts.push(`scope=${quoted(scope.join(' '))}`);
  if (challenge.resourceMetadata) parts.push(`resource_metadata=${quoted(challenge.resourceMetadata)}`);
  if (dpop) parts.push(`algs=${quoted(dpop.algs)}`);
  return parts.join(', ');
}

/** quoted-string of RFC 9110 §5.6.4. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
