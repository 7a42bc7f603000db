import { createHmac, randomBytes, type KeyObject } from 'node:crypto';

/**
 * The spelling of opaque tokens a second time, written from the contract and sharing no line with the program. It makes
 * what the program must make, and what it must refuse.
 */

export interface Payload {
  keyId: number;
  expiresAt: number;
  cell: number;
  random: Buffer;
  mac: Buffer;
}

const DIGITS = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];

/** CRC-32 (IEEE 802.3), bit by bit. */
export function crc32(text: string): number {
  let register = 0xffffffff;
  for (const byte of Buffer.from(text, 'ascii')) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit += 1) register = (register >>> 1) ^ (register & 1 ? 0xedb88320 : 0);
  }
  return (register ^ 0xffffffff) >>> 0;
}

export function base62(value: number): string {
  let rest = BigInt(value);
  let text = '';
  while (rest > 0n) {
    text = DIGITS[Number(rest % 62n)] + text;
    rest /= 62n;
  }
  return text.padStart(6, '0');
}

/** Adds the checksum to a prefix and 48 characters. */
export function withChecksum(body: string): string {
  return body + base62(crc32(body));
}

export function pack({ keyId, expiresAt, cell, random, mac }: Payload): Buffer {
  const expiry = Buffer.alloc(4);
  expiry.writeUInt32BE(expiresAt);
  return Buffer.concat([Buffer.of(keyId), expiry, Buffer.of(cell), random, mac]);
}

export function unpack(token: string): Payload {
  const bytes = Buffer.from(token.slice(4, 52), 'base64url');
  return {
    keyId: bytes.readUInt8(0),
    expiresAt: bytes.readUInt32BE(1),
    cell: bytes.readUInt8(5),
    random: bytes.subarray(6, 28),
    mac: bytes.subarray(28),
  };
}

export function spell(prefix: string, payload: Payload): string {
  return withChecksum(prefix + pack(payload).toString('base64url'));
}

export function macOf(prefix: string, payload: Omit<Payload, 'mac'>, key: KeyObject): Buffer {
  const signed = pack({ ...payload, mac: Buffer.alloc(0) });
  return createHmac('sha256', key).update(prefix, 'ascii').update(signed).digest().subarray(0, 8);
}

/** A token as the program would make it. */
export function genuine(
  prefix: string,
  expiresAt: number,
  key: { readonly id: number; readonly mac: KeyObject },
  random: Buffer = randomBytes(22),
  cell = 0,
): string {
  const payload = { keyId: key.id, expiresAt, cell, random };
  return spell(prefix, { ...payload, mac: macOf(prefix, payload, key.mac) });
}

/** A copy of a token with something changed in its payload, the checksum made right again. */
export function forged(token: string, changes: Partial<Payload>, prefix = token.slice(0, 4)): string {
  return spell(prefix, { ...unpack(token), ...changes });
}
