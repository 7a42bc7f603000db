import { hash } from 'node:crypto';

/**
 * Remembers what was found in tokens whose signature has been verified, by the SHA-256 of their whole text. Results belong to a
 * set of keys: when the keys change, all are forgotten. Tokens that nobody has asked about lately are dropped first.
 */
export class ProvenTokens<T> {
  private keys: object | undefined;
  private recent = new Map<string, T>();
  private before = new Map<string, T>();

  /** @param most entries; 0 remembers nothing */
  constructor(private readonly most: number) {}

  get size(): number {
    return this.recent.size + this.before.size;
  }

  /** @param keys the keys that are in force; undefined while nobody knows them */
  get(token: string, keys: object | undefined): T | undefined {
    if (this.most === 0 || keys === undefined || keys !== this.keys) return undefined;
    const digest = digestOf(token);
    const known = this.recent.get(digest);
    if (known !== undefined) return known;
    const old = this.before.get(digest);
    if (old !== undefined) this.keep(digest, old);
    return old;
  }

  /** @param keys the keys that were in force both before and after the signature was verified */
  put(token: string, keys: object | undefined, found: T): void {
    if (this.most === 0 || keys === undefined) return;
    if (keys !== this.keys) {
      this.keys = keys;
      this.recent = new Map();
      this.before = new Map();
    }
    this.keep(digestOf(token), found);
  }

  /** Two halves: when the newer one is full, the older one goes. */
  private keep(digest: string, found: T): void {
    if (this.recent.size >= Math.max(1, this.most / 2)) {
      this.before = this.recent;
      this.recent = new Map();
    }
    this.recent.set(digest, found);
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'hex');
}
