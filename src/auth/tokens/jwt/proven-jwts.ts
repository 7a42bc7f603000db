import { sha256Text } from '../token-mac.js';
import type { SigningKeyInMemory } from '../../keys/key-ring.js';

/** Room for 262,144 texts (SETS times WAYS) in 4.3 MB. The memory never grows. */
const SETS = 65_536;
const WAYS = 4;
const WORDS = 4;
/** One byte names the key of each place; 0 marks an empty place. */
const MOST_KEYS = 255;

/**
 * Remembers which texts are well-formed JWTs with a valid signature, and which key signed them. This is a fact about
 * bytes and never changes; it does not say that a token is alive. It stores 128 bits of the SHA-256 of each text, so it
 * holds no token, and an attacker would need 2^128 attempts to find another text that matches. It stores valid texts
 * only, so nobody can fill it without tokens of ours. It is a set-associative cache in flat arrays, which the garbage
 * collector need not scan.
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

  /** @returns the key that signed exactly this text, as the key was when the text was added */
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

  /** Replaces the oldest text of the same set. */
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

  /** From 1. Each key object gets a number: keys are rotated and read again. After MOST_KEYS the cache starts empty. */
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
