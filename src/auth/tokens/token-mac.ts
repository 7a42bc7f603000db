import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const PREFIX_BYTES = 4;
const SIGNED_BYTES = 28;
const MAC_BYTES = 8;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA-256 (RFC 2104) of 32 bytes, written out as the two hashes that it is, for checking. Each request pays for one:
 * this way 0.8 us, through `createHmac`, which makes an object of OpenSSL's and a Buffer of its own each time, 2.9 us.
 * Tokens are minted with `createHmac`, so none would pass if the two ever differed.
 */
export class TokenMac {
  private readonly inner: Buffer;
  private readonly outer: Buffer;

  /** @param key as long as a block at most, so that it counts as it is */
  constructor(key: Buffer) {
    if (key.length > BLOCK_BYTES) throw new RangeError('the key is longer than a block of SHA-256');
    this.inner = padded(key, 0x36, PREFIX_BYTES + SIGNED_BYTES);
    this.outer = padded(key, 0x5c, DIGEST_BYTES);
  }

  /** Whether `payload` ends in the MAC of the prefix and its first 28 bytes. Takes as long for one that is almost right. */
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

/** As `hash(..., 'buffer')`, but in Node's pool: a third of the time, and nothing for the collector to finalize. */
export function sha256(data: string | Buffer): Buffer {
  return Buffer.from(sha256Text(data), 'latin1');
}

/** The same as a string of 32 characters, a byte each: a key for a Map. */
export function sha256Text(data: string | Buffer): string {
  return hash('sha256', data, 'binary');
}

function padded(key: Buffer, pad: number, rest: number): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES + rest, pad);
  key.forEach((byte, at) => (bytes[at] = byte ^ pad));
  return bytes;
}
