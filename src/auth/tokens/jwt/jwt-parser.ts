import { parseJson } from '../../../http/body/json-parser.js';
import type { AccessTokenClaims } from './jwt-claims.js';

/** Characters. Servers, also ours, accept 16 KiB of headers in all. */
export const LONGEST_JWT = 8_192;

const SPELLING = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** r and s, 32 bytes each (RFC 7518 §3.4). */
const SIGNATURE_BYTES = 64;

export interface ParsedJwt {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
}

/**
 * Parses a JWT (RFC 7515 §5.2) and trusts nothing in it. Refuses padding, set spare bits, white space and duplicate
 * members: we never write them, and other parsers could read them differently.
 */
export function parseJwt(token: string): ParsedJwt | undefined {
  if (token.length > LONGEST_JWT || !SPELLING.test(token)) return undefined;
  const [header = '', claims = '', signature = ''] = token.split('.');
  if (canonical(signature)?.length !== SIGNATURE_BYTES) return undefined;
  const parsed = { header: json(header), claims: json(claims) };
  return parsed.header && parsed.claims ? (parsed as ParsedJwt) : undefined;
}

/** @param token a text that has already passed `parseJwt`, `accessTokenClaims` and the check of its signature */
export function claimsOfProven(token: string): AccessTokenClaims {
  const claims = token.slice(token.indexOf('.') + 1, token.lastIndexOf('.'));
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as AccessTokenClaims;
}

function json(text: string): Record<string, unknown> | undefined {
  const bytes = canonical(text);
  try {
    return bytes && parseJson(bytes);
  } catch {
    return undefined;
  }
}

/** @returns undefined if `text` is not the canonical base64url of its bytes */
function canonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
