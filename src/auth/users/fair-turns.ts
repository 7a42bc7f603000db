/**
 * After this many turns, the older half of what is remembered is forgotten. No clock is needed: without turns nothing gets
 * old.
 */
const REMEMBERED = 256;

/** Whose turn it is when it comes. */
export interface Share {
  readonly of: readonly string[];
  /** Nobody knows them yet. They begin behind those who are known, as if they had had a turn already. */
  readonly isNew?: boolean;
}

interface Waiting<T> {
  readonly share: Share;
  readonly item: T;
}

/**
 * Decides who is next: the one who had the fewest of the last turns, and among equals the one who came first. A waiting call
 * can belong to several names, such as an account and a network; the name with the most turns counts.
 *
 * A turn that somebody is ahead for counts like one that they have had, so that nobody gains by waiting more than once.
 */
export class FairTurns<T> {
  private waiting: Waiting<T>[] = [];
  private had = new Map<string, number>();
  private before = new Map<string, number>();
  private turns = 0;

  constructor(private readonly most: number) {}

  get size(): number {
    return this.waiting.length;
  }

  /** How many are remembered for the turns that they have had. */
  get remembered(): number {
    return this.had.size + this.before.size;
  }

  /** @returns the one for whom there is no room now: the last in line, who may be the new one */
  add(share: Share, item: T): T | undefined {
    this.waiting.push({ share, item });
    if (this.waiting.length <= this.most) return undefined;
    return this.take((one, last) => one >= last)?.item;
  }

  /** Whose turn it is. It counts from now on. */
  next(): T | undefined {
    const next = this.take((one, first) => one < first);
    if (next) this.count(next.share.of);
    return next?.item;
  }

  /** The turn that has just been had counts for these names too: its owner comes under them from now on. */
  wasOf(names: readonly string[]): void {
    for (const one of names) this.had.set(one, (this.had.get(one) ?? 0) + 1);
  }

  /** Removes everybody who waits, and returns them. */
  clear(): T[] {
    const items = this.waiting.map(({ item }) => item);
    this.waiting = [];
    return items;
  }

  private take(isMore: (one: number, most: number) => boolean): Waiting<T> | undefined {
    const ranks = this.ranks();
    const at = ranks.reduce((most, rank, index) => (isMore(rank, ranks[most] ?? 0) ? index : most), 0);
    return this.waiting.splice(at, 1)[0];
  }

  /** For each who waits: the turns they have had, and their other calls that are ahead. */
  private ranks(): number[] {
    const ahead = new Map<string, number>();
    return this.waiting.map(({ share: { of, isNew } }) => {
      const had = Math.max(0, ...of.map((one) => this.hadBy(one) + (ahead.get(one) ?? 0)));
      const rank = isNew ? had + 1 : had;
      for (const one of of) ahead.set(one, (ahead.get(one) ?? 0) + 1);
      return rank;
    });
  }

  private hadBy(one: string): number {
    return (this.had.get(one) ?? 0) + (this.before.get(one) ?? 0);
  }

  private count(whose: readonly string[]): void {
    if (this.turns >= REMEMBERED) {
      this.before = this.had;
      this.had = new Map();
      this.turns = 0;
    }
    this.turns += 1;
    this.wasOf(whose);
  }
}
