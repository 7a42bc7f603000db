import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const MESSAGE_BYTES = 32;
const PREFIX_BYTES = 4;
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
    this.inner = padded(key, 0x36, MESSAGE_BYTES);
    this.outer = padded(key, 0x5c, DIGEST_BYTES);
  }

  /** Of a prefix of four characters and the first 28 bytes of `payload`. */
  of(prefix: string, payload: Buffer): Buffer {
    this.inner.write(prefix, BLOCK_BYTES, 'latin1');
    payload.copy(this.inner, BLOCK_BYTES + PREFIX_BYTES, 0, MESSAGE_BYTES - PREFIX_BYTES);
    this.outer.write(hash('sha256', this.inner, 'binary'), BLOCK_BYTES, 'latin1');
    return sha256(this.outer);
  }
}

/** As `hash(..., 'buffer')`, but in Node's pool: a third of the time, and nothing for the collector to finalize. */
export function sha256(data: string | Buffer): Buffer {
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1');
}

function padded(key: Buffer, pad: number, rest: number): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES + rest, pad);
  key.forEach((byte, at) => (bytes[at] = byte ^ pad));
  return bytes;
}
