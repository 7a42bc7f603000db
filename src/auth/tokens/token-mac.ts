import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const PREFIX_BYTES = 4;
const SIGNED_BYTES = 28;
const MAC_BYTES = 8;
const DIGEST_BYTES = 32;

/**
 * Checks an HMAC-SHA-256 (RFC 2104) of 32 bytes with its two hashes written out. Each request pays for one check. This
 * way it takes 0.8 us. `createHmac` makes an OpenSSL object and a Buffer each time and takes 2.9 us. Tokens are minted
 * with `createHmac`, so no token would pass if the two ways ever differed.
 */
export class TokenMac {
  private readonly inner: Buffer;
  private readonly outer: Buffer;

  /** @param key one block (64 bytes) at most: HMAC would hash a longer key first (RFC 2104) */
  constructor(key: Buffer) {
    if (key.length > BLOCK_BYTES) throw new RangeError('the key is longer than a block of SHA-256');
    this.inner = padded(key, 0x36, PREFIX_BYTES + SIGNED_BYTES);
    this.outer = padded(key, 0x5c, DIGEST_BYTES);
  }

  /** Whether `payload` ends in the MAC of `prefix` and the first 28 bytes of `payload`. Compares in constant time. */
  isIn(prefix: string, payload: Buffer): boolean {
    for (let at = 0; at < PREFIX_BYTES; at += 1) this.inner[BLOCK_BYTES + at] = prefix.charCodeAt(at);
    payload.copy(this.inner, BLOCK_BYTES + PREFIX_BYTES, 0, SIGNED_BYTES);
    this.outer.write(sha256Text(this.inner), BLOCK_BYTES, 'latin1');
    const mac = sha256Text(this.outer);
    let difference = 0;
    for (let at = 0; at < MAC_BYTES; at += 1)
      difference |= mac.charCodeAt(at) ^ (payload[SIGNED_BYTES + at] ?? -1);
    return difference === 0;
  }
}

/**
 * Like `hash(..., 'buffer')`, but the Buffer comes from Node's pool. That takes a third of the time, and the garbage
 * collector has nothing to finalize.
 */
export function sha256(data: string | Buffer): Buffer {
  return Buffer.from(sha256Text(data), 'latin1');
}

/** The same digest as a string of 32 characters, one for each byte. It can be the key of a Map. */
export function sha256Text(data: string | Buffer): string {
  return hash('sha256', data, 'binary');
}

function padded(key: Buffer, pad: number, rest: number): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES + rest, pad);
  key.forEach((byte, at) => (bytes[at] = byte ^ pad));
  return bytes;
}
