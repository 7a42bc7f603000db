import { createHmac, randomBytes } from 'node:crypto';
import type { TokenKey, TokenKeys } from './token-keys.js';
import { sha256 } from './token-mac.js';

export type TokenFormat = 'opaque' | 'jwt';

/**
 * Owns the spelling of opaque tokens; never whether one is alive.
 *
 *     kat_ <48 characters of base64url> <6 characters of base62>
 *          1 byte key id | 4 bytes expiry | 1 byte cell | 22 random bytes | 8 bytes MAC      CRC-32 of all before it
 */
export const PREFIXES = { kat_: 'access', krt_: 'refresh', kak_: 'api_key', kcs_: 'client_secret' } as const;

export type Prefix = keyof typeof PREFIXES;
export type TokenKind = (typeof PREFIXES)[Prefix];

/** The expiry of a secret that never expires, such as a client secret. */
export const NO_EXPIRY = 0xff_ff_ff_ff;

const SPELLING = /^(k(?:at|rt|ak|cs)_)([A-Za-z0-9_-]{48})([0-9A-Za-z]{6})$/;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_BYTES = 22;
/**
 * The number of the database that has the token. Today there is only one database, and no code reads the byte. In older
 * tokens it is random (docs/decisions/0063).
 */
export const CELL = 0;
const SIGNED_BYTES = 28;
const MAC_BYTES = 8;
/** A buffer for parsing, shared by all tokens, one after the other. It saves an allocation for each request. */
const PAYLOAD = Buffer.alloc(36);

/** A token that Keks made. It may be revoked. */
export interface Genuine {
  readonly genuine: true;
  readonly kind: TokenKind;
  /** Whole seconds since the epoch, or NO_EXPIRY. */
  readonly expiresAt: number;
  /** SHA-256 of the token. The database stores this digest and not the token. */
  readonly digest: Buffer;
}

export type Parsed =
  Genuine | { readonly genuine: false; readonly flaw: 'spelling' | 'checksum' | 'key' | 'mac' };

/** @param expiresAt whole seconds since the epoch */
export function mintToken(
  prefix: Prefix,
  expiresAt: number,
  key: TokenKey,
  random = randomBytes(RANDOM_BYTES),
  cell = CELL,
): string {
  const payload = Buffer.alloc(36);
  payload[0] = key.id;
  payload.writeUInt32BE(expiresAt, 1);
  payload[5] = cell;
  random.copy(payload, 6, 0, RANDOM_BYTES);
  createHmac('sha256', key.mac)
    .update(prefix)
    .update(payload.subarray(0, SIGNED_BYTES))
    .digest()
    .copy(payload, SIGNED_BYTES, 0, MAC_BYTES);
  const body = prefix + payload.toString('base64url');
  return body + checksum(body);
}

/** 36 bytes fill 48 characters to the last bit, so each token has exactly one spelling. No other text passes. */
export function parseToken(token: string, keys: TokenKeys): Parsed {
  const match = SPELLING.exec(token);
  if (!match) return { genuine: false, flaw: 'spelling' };
  const prefix = match[1] as Prefix;
  if (checksum(token.slice(0, -6)) !== match[3]) return { genuine: false, flaw: 'checksum' };
  const payload = PAYLOAD;
  payload.write(match[2] ?? '', 'base64url');
  const flaw = signatureFlaw(prefix, payload, keys);
  if (flaw) return { genuine: false, flaw };
  return {
    genuine: true,
    kind: PREFIXES[prefix],
    expiresAt: payload.readUInt32BE(1),
    digest: digestOf(token),
  };
}

/** SHA-256: the only form in which the database sees our tokens and secrets. */
export function digestOf(token: string): Buffer {
  return sha256(token);
}

/** Two keys may have the same id, so it tries every key with the id of the token. */
function signatureFlaw(prefix: Prefix, payload: Buffer, keys: TokenKeys): 'key' | 'mac' | undefined {
  let flaw: 'key' | 'mac' = 'key';
  for (const key of keys.all) {
    if (key.id !== payload[0]) continue;
    if (key.check.isIn(prefix, payload)) return undefined;
    flaw = 'mac';
  }
  return flaw;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let place = 0; place < 6; place += 1) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

const POLYNOMIAL = 0xed_b8_83_20;
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1;
  return rest;
});

/**
 * CRC-32 (IEEE 802.3) of ASCII text. `node:zlib` has it too, but for the 52 characters of a token the call into native
 * code costs several times as much as the sum itself.
 */
function crc32(text: string): number {
  let rest = -1;
  for (let at = 0; at < text.length; at += 1)
    rest = (TABLE[(rest ^ text.charCodeAt(at)) & 0xff] ?? 0) ^ (rest >>> 8);
  return (rest ^ -1) >>> 0;
}
