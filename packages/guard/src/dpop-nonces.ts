import { createHmac, timingSafeEqual } from 'node:crypto';
import { withinRange } from './endpoint.js';

export interface NonceOptions {
  /**
   * Each has 32 bytes or more, and all instances have the same. The first secret makes nonces; nonces of all secrets are
   * accepted.
   */
  readonly secrets: readonly (string | Buffer)[];
  /** Seconds for which a nonce is good at most, 300 if absent; it is good for at least half of them. */
  readonly lifetime?: number;
}

const SLOT_BYTES = 4;
const MAC_BYTES = 16;
const LEAST_SECRET = 32;
const SPELLING = /^[A-Za-z0-9_-]{27}$/;

/**
 * Nonces (RFC 9449 §8, §9) that nobody has to store: a number that says when the nonce was made, and a MAC. Every instance with
 * the secret recognises the nonces of all others.
 */
export class DpopNonces {
  readonly lifetime: number;
  private readonly secrets: readonly Buffer[];
  private made: { readonly slot: number; readonly nonce: string } | undefined;

  /** @throws TypeError, RangeError for options that cannot be meant */
  constructor({ secrets, lifetime = 300 }: NonceOptions) {
    this.lifetime = withinRange('dpop.nonces.lifetime', lifetime, 10, 3_600);
    this.secrets = secrets.map((secret) => (typeof secret === 'string' ? Buffer.from(secret) : secret));
    if (this.secrets.length === 0 || this.secrets.some(({ length }) => length < LEAST_SECRET))
      throw new TypeError(`dpop.nonces.secrets must be of ${LEAST_SECRET} bytes or more.`);
  }

  /** The nonce to use now. @param now milliseconds since the epoch */
  current(now: number): string {
    const slot = this.slotOf(now);
    const [secret] = this.secrets;
    if (this.made?.slot !== slot && secret) this.made = { slot, nonce: nonceOf(slot, secret) };
    return this.made?.nonce ?? '';
  }

  /**
   * Accepts nonces of this half of a lifetime, of the half before, and of the half after: the clock of another instance may be
   * ahead.
   * @returns until when the nonce is good: milliseconds since the epoch; undefined if it is not good
   */
  goodUntil(nonce: unknown, now: number): number | undefined {
    if (typeof nonce !== 'string' || !SPELLING.test(nonce)) return undefined;
    const bytes = Buffer.from(nonce, 'base64url');
    const slot = bytes.readUInt32BE(0);
    if (Math.abs(this.slotOf(now) - slot) > 1) return undefined;
    const isOurs = this.secrets.some((secret) =>
      timingSafeEqual(Buffer.from(nonceOf(slot, secret), 'base64url'), bytes),
    );
    return isOurs ? (slot + 2) * this.slotMs : undefined;
  }

  private get slotMs(): number {
    return this.lifetime * 500;
  }

  private slotOf(now: number): number {
    return Math.floor(now / this.slotMs);
  }
}

function nonceOf(slot: number, secret: Buffer): string {
  const bytes = Buffer.alloc(SLOT_BYTES + MAC_BYTES);
  bytes.writeUInt32BE(slot % 2 ** 32, 0);
  createHmac('sha256', secret)
    .update('keks dpop nonce')
    .update(bytes.subarray(0, SLOT_BYTES))
    .digest()
    .copy(bytes, SLOT_BYTES, 0, MAC_BYTES);
  return bytes.toString('base64url');
}
