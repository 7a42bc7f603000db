const MINUTE_MS = 60_000;
/** Beyond it the oldest goes: it may then have a second row in its minute. */
const MOST = 10_000;

interface Repeated<T> {
  readonly since: number;
  times: number;
  last: T;
}

/** The same again within a minute is counted, and told once that minute is over. */
export class Repeats<T> {
  private seen = new Map<string, Repeated<T>>();

  get size(): number {
    return this.seen.size;
  }

  /** True if it is the first in a minute. */
  isFirst(key: string, what: T, now: number): boolean {
    const one = this.seen.get(key);
    if (one) {
      one.times += 1;
      one.last = what;
      return false;
    }
    if (this.seen.size >= MOST) this.forget(this.seen.keys().next().value ?? '');
    this.seen.set(key, { since: now, times: 0, last: what });
    return true;
  }

  /** As if it had not been there: it could not be told. */
  forget(key: string): void {
    this.seen.delete(key);
  }

  /** What came again and whose minute is over. A clock that was set back ends all of them. */
  over(now: number): { readonly last: T; readonly times: number }[] {
    const ended = [...this.seen].filter(([, { since }]) => Math.abs(now - since) >= MINUTE_MS);
    for (const [key] of ended) this.seen.delete(key);
    return ended.map(([, one]) => one).filter(({ times }) => times > 0);
  }
}
