const MINUTE_MS = 60_000;
/** In each minute, this many of each kind are told one by one; the rest is counted. */
export const OWN_MOST = 100;
/** If there are more, the oldest goes. That happens only if nothing can be written for a while. */
const MOST = 1_000;

/** What it is that comes again. */
export interface Which {
  /** One of few. */
  readonly kind: string;
  /** The same again; absent if each is another one. */
  readonly key?: string | undefined;
}

interface Counted<T> {
  readonly since: number;
  /** Of one kind, from anybody: all that came when the minute had no row left. */
  readonly isRest: boolean;
  times: number;
  last: T;
}

/** Repetitions within a minute are counted, and told when the minute is over. So are those beyond the limit. */
export class Repeats<T> {
  private readonly seen = new Map<string, Counted<T>>();
  private minute = -Infinity;
  private readonly own = new Map<string, number>();

  get size(): number {
    return this.seen.size;
  }

  /** True if it is to be told by itself. */
  isFirst({ kind, key }: Which, what: T, now: number): boolean {
    if (key !== undefined && this.counts(key, what)) return false;
    const isRest = this.ofMinute(kind, now) > OWN_MOST;
    const name = isRest ? kind : key;
    if (name === undefined) return true;
    if (this.counts(name, what)) return false;
    if (this.seen.size >= MOST) this.seen.delete(this.seen.keys().next().value ?? '');
    this.seen.set(name, { since: now, isRest, times: 0, last: what });
    return true;
  }

  /** Forgets it, because it could not be written. */
  forget({ key }: Which): void {
    if (key !== undefined) this.seen.delete(key);
  }

  /** The repetitions whose minute is over. If the clock was set back, all of them. */
  over(now: number): Omit<Counted<T>, 'since'>[] {
    const ended = [...this.seen].filter(([, { since }]) => Math.abs(now - since) >= MINUTE_MS);
    for (const [key] of ended) this.seen.delete(key);
    return ended.map(([, one]) => one).filter(({ times }) => times > 0);
  }

  private ofMinute(kind: string, now: number): number {
    if (Math.abs(now - this.minute) >= MINUTE_MS) {
      this.minute = now;
      this.own.clear();
    }
    const count = (this.own.get(kind) ?? 0) + 1;
    this.own.set(kind, count);
    return count;
  }

  private counts(name: string, what: T): boolean {
    const one = this.seen.get(name);
    if (!one) return false;
    one.times += 1;
    one.last = what;
    return true;
  }
}
