import { NO_EXPIRY } from '../token-format.js';

/** All claims of our tokens (RFC 9068 §2.2). Times in whole seconds since the epoch. */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly exp: number;
  readonly aud: string;
  readonly sub: string;
  readonly client_id: string;
  readonly iat: number;
  readonly jti: string;
}

const TEXTS = ['iss', 'aud', 'sub', 'client_id', 'jti'] as const;
const TIMES = ['exp', 'iat'] as const;

/** @returns undefined if a claim is missing or has another type. It does not check whether the claims are true. */
export function accessTokenClaims(claims: Record<string, unknown>): AccessTokenClaims | undefined {
  const complete =
    TEXTS.every((name) => isText(claims[name])) &&
    TIMES.every((name) => isTime(claims[name])) &&
    (claims['scope'] === undefined || isText(claims['scope']));
  return complete ? (claims as unknown as AccessTokenClaims) : undefined;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isTime(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < NO_EXPIRY;
}
