import { sha256Text } from '../token-mac.js';
import type { SigningKeyInMemory } from '../../keys/key-ring.js';

/** 262,144 texts in 4.3 MB, however long the server runs. */
const SETS = 65_536;
const WAYS = 4;
const WORDS = 4;
/** Key objects are told apart by a byte; 0 is an empty place. */
const MOST_KEYS = 255;

/**
 * Remembers which texts were well-formed JWTs with a valid signature, and of which key. That is a fact about bytes and never
 * changes; it does not say that a token is alive. A text is known by 128 bits of its SHA-256, so no token is in memory, and
 * finding another text that counts as this one would take 2^128 attempts. Only valid texts get in, so a stranger without a
 * token of ours cannot fill it. Flat arrays, as in the cache of a processor: nothing for the collector to walk.
 */
export class ProvenJwts {
  private texts: Uint32Array | undefined;
  private readonly keyAt: Uint8Array;
  private readonly next: Uint8Array;
  private keys: SigningKeyInMemory[] = [];

  constructor(private readonly sets = SETS) {
    this.keyAt = new Uint8Array(sets * WAYS);
    this.next = new Uint8Array(sets);
  }

  /** The key that has signed exactly this text, as it was then. */
  keyOf(token: string): SigningKeyInMemory | undefined {
    if (!this.texts) return undefined;
    const text = sha256Text(token);
    const first = this.firstPlace(text);
    for (let place = first; place < first + WAYS; place += 1) {
      const key = this.keyAt[place] ?? 0;
      if (key !== 0 && this.isAt(place, text, this.texts)) return this.keys[key - 1];
    }
    return undefined;
  }

  /** In place of the oldest of those that share its set. */
  add(token: string, key: SigningKeyInMemory): void {
    this.texts ??= new Uint32Array(this.sets * WAYS * WORDS);
    const text = sha256Text(token);
    const first = this.firstPlace(text);
    const set = first / WAYS;
    const place = first + (this.next[set] ?? 0);
    this.next[set] = ((this.next[set] ?? 0) + 1) % WAYS;
    for (let at = 0; at < WORDS; at += 1) this.texts[place * WORDS + at] = word(text, at);
    this.keyAt[place] = this.numberOf(key);
  }

  private firstPlace(text: string): number {
    return (word(text, WORDS) % this.sets) * WAYS;
  }

  private isAt(place: number, text: string, texts: Uint32Array): boolean {
    for (let at = 0; at < WORDS; at += 1) if (texts[place * WORDS + at] !== word(text, at)) return false;
    return true;
  }

  /** From 1. There are as many as keys were rotated and read anew since the start. */
  private numberOf(key: SigningKeyInMemory): number {
    const known = this.keys.findIndex(({ verifier }) => verifier === key.verifier);
    if (known !== -1) return known + 1;
    if (this.keys.length === MOST_KEYS) {
      this.keyAt.fill(0);
      this.keys = [];
    }
    return this.keys.push(key);
  }
}

function word(bytes: string, at: number): number {
  const first = at * 4;
  return (
    ((bytes.charCodeAt(first) << 24) |
      (bytes.charCodeAt(first + 1) << 16) |
      (bytes.charCodeAt(first + 2) << 8) |
      bytes.charCodeAt(first + 3)) >>>
    0
  );
}
