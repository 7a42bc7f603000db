interface Proof<T> {
  readonly token: string;
  readonly found: T;
}

/**
 * Remembers what was found in tokens whose signature has been verified. A token is looked for by its signature, which is short, and
 * then compared as a whole: a digest of the whole text would cost half as much as all else that a guard does. Results belong to a set
 * of keys: when the keys change, all are forgotten. Tokens that nobody has asked about lately are dropped first.
 */
export class ProvenTokens<T> {
  private keys: object | undefined;
  private recent = new Map<string, Proof<T>>();
  private before = new Map<string, Proof<T>>();

  /** @param most entries; 0 remembers nothing */
  constructor(private readonly most: number) {}

  get size(): number {
    return this.recent.size + this.before.size;
  }

  /** @param keys the keys that are in force; undefined while nobody knows them */
  get(token: string, keys: object | undefined): T | undefined {
    if (this.most === 0 || keys === undefined || keys !== this.keys) return undefined;
    const signature = signatureOf(token);
    const known = this.recent.get(signature);
    if (known) return known.token === token ? known.found : undefined;
    const old = this.before.get(signature);
    if (old?.token !== token) return undefined;
    this.keep(signature, old);
    return old.found;
  }

  /** @param keys the keys that were in force both before and after the signature was verified */
  put(token: string, keys: object | undefined, found: T): void {
    if (this.most === 0 || keys === undefined) return;
    if (keys !== this.keys) {
      this.keys = keys;
      this.recent = new Map();
      this.before = new Map();
    }
    this.keep(signatureOf(token), { token, found });
  }

  /** Two halves: when the newer one is full, the older one goes. */
  private keep(signature: string, proof: Proof<T>): void {
    if (this.recent.size >= Math.max(1, this.most / 2)) {
      this.before = this.recent;
      this.recent = new Map();
    }
    this.recent.set(signature, proof);
  }
}

/** What follows the last dot. */
function signatureOf(token: string): string {
  return token.slice(token.lastIndexOf('.') + 1);
}
