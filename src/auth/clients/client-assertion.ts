import { isStorable } from '../storable.js';
import type { Signed } from './client-keys.js';

/** RFC 7523 §2.2 */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Seconds that an assertion may still have: it is made for one request. */
const LONGEST = 300;
/** Seconds by which the clock of a client may be ahead. */
const SKEW = 30;
const MOST_CHARACTERS = 8_192;
const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

export interface Assertion extends Signed {
  /** Who it says it is: nothing is proved before the signature is. */
  readonly clientId: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** @returns undefined for what is no JWT of the compact form, or names no client */
export function readAssertion(text: string): Assertion | undefined {
  const parts = text.length <= MOST_CHARACTERS ? FORM.exec(text) : null;
  if (!parts) return undefined;
  const [, head = '', body = '', signature = ''] = parts;
  const header = objectOf(head);
  const claims = objectOf(body);
  const bytes = Buffer.from(signature, 'base64url');
  // one spelling each: else the same assertion could come again in another
  if (!header || !claims || bytes.toString('base64url') !== signature) return undefined;
  const { alg, kid, crit } = header;
  const { sub } = claims;
  if (typeof alg !== 'string' || crit !== undefined || typeof sub !== 'string' || !isStorable(sub))
    return undefined;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  return { clientId: sub, claims, alg, kid, input: `${head}.${body}`, signature: bytes };
}

/**
 * RFC 7523 §3: made by and about this client, for us, for a moment, and with an id of its own.
 * @param now seconds since the epoch
 * @returns the id and until when it counts; undefined if one of this is not so
 */
export function judgeClaims(
  { clientId, claims }: Assertion,
  audiences: readonly string[],
  now: number,
): { readonly jti: string; readonly expiresAt: number } | undefined {
  const { iss, aud, exp, nbf, iat, jti } = claims;
  const named = [aud].flat();
  const isForUs =
    named.length > 0 && named.every((one) => typeof one === 'string' && audiences.includes(one));
  if (iss !== clientId || !isForUs) return undefined;
  if (typeof exp !== 'number' || !(exp > now && exp <= now + LONGEST + SKEW)) return undefined;
  for (const begin of [nbf, iat])
    if (begin !== undefined && !(typeof begin === 'number' && begin <= now + SKEW)) return undefined;
  if (typeof jti !== 'string' || jti === '' || jti.length > 255) return undefined;
  return { jti, expiresAt: Math.ceil(exp) };
}

function objectOf(part: string): Record<string, unknown> | undefined {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
