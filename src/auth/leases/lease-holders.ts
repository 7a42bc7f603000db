import { setTimeout as sleep } from 'node:timers/promises';
import { Snapshot } from './snapshot.js';

interface Holder {
  /**
   * `performance.now()` by which the lease of the last answer is over. The guard counts its lease from before it sent
   * the poll, so for the guard the lease ends earlier.
   */
  until: number;
  /** The same for the poll that is being answered; 0 if that poll was given up, because no lease comes of it then. */
  promised: number;
  /** What the guard has applied. */
  applied: Snapshot;
  /** The digest of the secret with which the guard asked for its lease. */
  proof: Buffer | undefined;
}

/** Somebody who waits until the guards in `left` have applied these transactions. */
interface Wait {
  readonly transactions: readonly bigint[];
  readonly until: number;
  /** Guards that may not have applied them. Only the last is checked: until it has, the others do not matter. */
  readonly left: string[];
  /** The guard that the wait is for at the moment. */
  blocker: string | undefined;
  /** The guards that were waited for until their lease ended. */
  readonly late: string[];
  readonly resolve: (late: readonly string[]) => void;
  timer: NodeJS.Timeout | undefined;
}

export interface HeldLease {
  readonly guard: string;
  /** Milliseconds. */
  readonly left: number;
  readonly applied: Snapshot;
  /** How many ends wait for this guard. */
  readonly awaited: number;
}

/**
 * Owns which guards may hold a lease of this instance, until when, and what each has applied. An answer that is on its
 * way proves nothing: only the next poll of a guard says what it has applied.
 */
export class LeaseHolders {
  private readonly holders = new Map<string, Holder>();
  private readonly waits = new Set<Wait>();

  /** How many guards may hold a lease now. */
  get count(): number {
    this.forgetOver();
    return this.holders.size;
  }

  /** Like `count`, but also counts guards whose lease has just ended. */
  get size(): number {
    return this.holders.size;
  }

  /** `performance.now()` by which the first lease is over; undefined if there is no lease. */
  get firstEnd(): number | undefined {
    this.forgetOver();
    const ends = [...this.holders.values()].map(endOf);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** Resolves when all leases are over. @param until `performance.now()` at which it stops waiting */
  async over(until: number): Promise<void> {
    // a loop, because a timer may fire a millisecond early
    for (let now = performance.now(); this.count > 0 && now < until; now = performance.now()) {
      const last = Math.max(...[...this.holders.values()].map(endOf));
      await sleep(Math.ceil(Math.min(last, until) - now));
    }
  }

  /** @returns what all guards with a lease have applied; undefined if there are none */
  get applied(): Snapshot | undefined {
    this.forgetOver();
    let all: Snapshot | undefined;
    for (const { applied } of this.holders.values()) all = all ? all.meet(applied) : applied;
    return all;
  }

  names(): string[] {
    this.forgetOver();
    return [...this.holders.keys()];
  }

  all(): HeldLease[] {
    this.forgetOver();
    const now = performance.now();
    const waits = [...this.waits];
    return [...this.holders].map(([guard, holder]) => {
      const awaited = waits.filter((wait) => this.owes(guard, wait, now) !== undefined).length;
      return { guard, left: Math.round(endOf(holder) - now), applied: holder.applied, awaited };
    });
  }

  holds(guard: string): boolean {
    return endOf(this.holders.get(guard)) > performance.now();
  }

  /** Whether the guard used this proof when it asked for its lease. */
  isProof(guard: string, proof: Buffer): boolean {
    return this.holders.get(guard)?.proof?.equals(proof) === true;
  }

  /** A poll has come: its guard has applied everything up to the position that it asks from. */
  acknowledge(guard: string, applied: Snapshot): void {
    const holder = this.holders.get(guard);
    if (!holder) return;
    holder.applied = applied;
    this.look(guard);
  }

  /**
   * Promises a lease. Call it before the log is read for the answer.
   * @param applied what a guard counts as having applied if it holds no lease yet
   */
  expect(guard: string, until: number, applied: Snapshot, proof?: Buffer): void {
    const holder = this.holders.get(guard);
    if (holder) Object.assign(holder, { promised: Math.max(holder.promised, until), proof });
    else this.holders.set(guard, { until: 0, promised: until, applied, proof });
  }

  /** The guard is being sent a lease. @param until the promised time, or earlier */
  answered(guard: string, until: number): void {
    const holder = this.holders.get(guard);
    if (holder) holder.until = Math.max(holder.until, until);
  }

  /** No answer goes to the guard, so it has only the lease of its last answer, if that still lasts. */
  unanswered(guard: string): void {
    const holder = this.holders.get(guard);
    if (!holder) return;
    holder.promised = 0;
    if (holder.until <= performance.now()) this.leave(guard);
    else this.look(guard);
  }

  /** The guard holds no lease any more: it has said so, or its lease is over. */
  leave(guard: string): void {
    this.holders.delete(guard);
    for (const wait of this.waits) if (wait.blocker === guard) wait.blocker = undefined;
    this.look(guard);
  }

  /** All snapshots are of another cluster, so no guard has applied anything of this cluster. */
  knowNothing(): void {
    for (const holder of this.holders.values()) holder.applied = Snapshot.NOTHING;
  }

  /**
   * Waits until each guard that may hold a lease has applied these transactions, which are in the log, or holds no
   * lease any more. A guard that gets a lease from now on is told of them, because the log is read after the lease is
   * promised.
   * @param until `performance.now()` at which it stops waiting
   * @returns the guards that it waited for in vain, until their lease ended or by `until`
   */
  told(transactions: readonly bigint[], until: number): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const left = [...this.holders.keys()];
      const wait: Wait = {
        transactions,
        until,
        left,
        blocker: undefined,
        late: [],
        resolve,
        timer: undefined,
      };
      this.waits.add(wait);
      this.goOn(wait);
    });
  }

  /** Checks each guard until it has passed once: a guard never un-applies anything. */
  private goOn(wait: Wait): void {
    const { left, late, until, resolve } = wait;
    clearTimeout(wait.timer);
    const now = performance.now();
    const isOver = now >= until;
    for (let guard = left.at(-1); guard !== undefined; guard = left.at(-1)) {
      if (isOver) break;
      const owedUntil = this.owes(guard, wait, now);
      if (owedUntil !== undefined) {
        wait.blocker = guard;
        wait.timer = setTimeout(() => this.goOn(wait), Math.ceil(Math.min(until, owedUntil) - now)).unref();
        return;
      }
      if (guard === wait.blocker && !this.hasApplied(guard, wait)) late.push(guard);
      left.pop();
    }
    this.waits.delete(wait);
    resolve([...late, ...left.filter((guard) => this.owes(guard, wait, now) !== undefined)]);
  }

  /** @returns until when the guard holds a lease without having applied the transactions; undefined if it does not */
  private owes(guard: string, wait: Wait, now: number): number | undefined {
    const until = endOf(this.holders.get(guard));
    return until <= now || this.hasApplied(guard, wait) ? undefined : until;
  }

  private hasApplied(guard: string, { transactions }: Wait): boolean {
    const { applied } = this.holders.get(guard) ?? {};
    return applied !== undefined && transactions.every((one) => applied.sees(one));
  }

  private look(guard: string): void {
    for (const wait of this.waits) if (wait.left.at(-1) === guard) this.goOn(wait);
  }

  private forgetOver(): void {
    const now = performance.now();
    for (const [guard, holder] of this.holders) if (endOf(holder) <= now) this.holders.delete(guard);
  }
}

/** `performance.now()` by which the guard holds no lease, even if the poll that is being answered gives one. */
function endOf(holder: Holder | undefined): number {
  return holder ? Math.max(holder.until, holder.promised) : 0;
}
