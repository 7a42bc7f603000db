import { Snapshot } from './snapshot.js';

interface Holder {
  /** `performance.now()` by which the guard's lease is over: it counts from before its poll was sent. */
  until: number;
  /** What it has applied while it may hold a lease. */
  applied: Snapshot;
}

/**
 * Owns who may hold a lease that this instance gave, until when, and what all of them have applied. An answer that is on its
 * way proves nothing: a guard has applied what it asks from the next time.
 */
export class LeaseHolders {
  private readonly holders = new Map<string, Holder>();

  constructor(private readonly ttlMs: number) {}

  /** Of those who may hold one now. */
  get count(): number {
    this.forgetOver();
    return this.holders.size;
  }

  /** `performance.now()` by which all are over; undefined if none is left. */
  get firstEnd(): number | undefined {
    this.forgetOver();
    const ends = [...this.holders.values()].map(({ until }) => until);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** @returns what everybody has applied; undefined if there is nobody */
  get applied(): Snapshot | undefined {
    this.forgetOver();
    let all: Snapshot | undefined;
    for (const { applied } of this.holders.values()) all = all ? all.meet(applied) : applied;
    return all;
  }

  holds(guard: string): boolean {
    this.forgetOver();
    return this.holders.has(guard);
  }

  /** A poll has come: its guard has applied all that it asks from. */
  acknowledge(guard: string, applied: Snapshot): void {
    const holder = this.holders.get(guard);
    if (holder) holder.applied = applied;
  }

  /** Before the log is read for its answer. @param applied by somebody who holds none yet */
  expect(guard: string, askedAt: number, applied: Snapshot): void {
    const holder = this.holders.get(guard);
    const until = askedAt + this.ttlMs;
    if (holder) holder.until = Math.max(holder.until, until);
    else this.holders.set(guard, { until, applied });
  }

  /** The snapshots are of another cluster: nobody has applied anything of this one. */
  knowNothing(): void {
    for (const holder of this.holders.values()) holder.applied = Snapshot.NOTHING;
  }

  private forgetOver(): void {
    const now = performance.now();
    for (const [guard, { until }] of this.holders) if (until <= now) this.holders.delete(guard);
  }
}
