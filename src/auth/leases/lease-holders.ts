import { setTimeout as sleep } from 'node:timers/promises';
import { Snapshot } from './snapshot.js';

interface Holder {
  /** `performance.now()` by which the lease of its last answer is over: it counts from before its poll was sent. */
  until: number;
  /** The same of the poll that is being answered: of one that is given up, no lease comes. */
  promised: number;
  /** What it has applied while it may hold a lease. */
  applied: Snapshot;
  /** With which it has asked for its lease: the digest of a secret. */
  proof: Buffer | undefined;
}

/** Somebody waits until those who are left have applied these transactions. */
interface Wait {
  readonly transactions: readonly bigint[];
  readonly until: number;
  /** The last one is looked at: while it has not, the others do not matter. */
  readonly left: string[];
  /** It is waited for. */
  blocker: string | undefined;
  /** These were waited for in vain. */
  readonly late: string[];
  readonly resolve: (late: readonly string[]) => void;
  timer: NodeJS.Timeout | undefined;
}

export interface HeldLease {
  readonly guard: string;
  /** Milliseconds. */
  readonly left: number;
  readonly applied: Snapshot;
  /** Ends that wait for it. */
  readonly awaited: number;
}

/**
 * Owns who may hold a lease that this instance gave, until when, and what all of them have applied. An answer that is on its
 * way proves nothing: a guard has applied what it asks from the next time.
 */
export class LeaseHolders {
  private readonly holders = new Map<string, Holder>();
  private readonly waits = new Set<Wait>();

  /** Of those who may hold one now. */
  get count(): number {
    this.forgetOver();
    return this.holders.size;
  }

  /** Also those whose lease has just ended. */
  get size(): number {
    return this.holders.size;
  }

  /** `performance.now()` by which the first is over; undefined if none is left. */
  get firstEnd(): number | undefined {
    this.forgetOver();
    const ends = [...this.holders.values()].map(endOf);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** When all leases are over. @param until `performance.now()` when it waits no longer */
  async over(until: number): Promise<void> {
    // again and again: a timer may be a millisecond early
    for (let now = performance.now(); this.count > 0 && now < until; now = performance.now()) {
      const last = Math.max(...[...this.holders.values()].map(endOf));
      await sleep(Math.ceil(Math.min(last, until) - now));
    }
  }

  /** @returns what everybody has applied; undefined if there is nobody */
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

  /** Whether this is what the guard has proved itself with when it got its lease. */
  isProof(guard: string, proof: Buffer): boolean {
    return this.holders.get(guard)?.proof?.equals(proof) === true;
  }

  /** A poll has come: its guard has applied all that it asks from. */
  acknowledge(guard: string, applied: Snapshot): void {
    const holder = this.holders.get(guard);
    if (!holder) return;
    holder.applied = applied;
    this.look(guard);
  }

  /** Before the log is read for its answer. @param applied by somebody who holds none yet */
  expect(guard: string, until: number, applied: Snapshot, proof?: Buffer): void {
    const holder = this.holders.get(guard);
    if (holder) Object.assign(holder, { promised: Math.max(holder.promised, until), proof });
    else this.holders.set(guard, { until: 0, promised: until, applied, proof });
  }

  /** It is being sent a lease. @param until as promised, or less */
  answered(guard: string, until: number): void {
    const holder = this.holders.get(guard);
    if (holder) holder.until = Math.max(holder.until, until);
  }

  /** No answer goes to it, so it has the lease of its last answer, if that still lasts, and no other. */
  unanswered(guard: string): void {
    const holder = this.holders.get(guard);
    if (!holder) return;
    holder.promised = 0;
    if (holder.until <= performance.now()) this.leave(guard);
    else this.look(guard);
  }

  /** It has said that it holds none any more. */
  leave(guard: string): void {
    this.holders.delete(guard);
    for (const wait of this.waits) if (wait.blocker === guard) wait.blocker = undefined;
    this.look(guard);
  }

  /** The snapshots are of another cluster: nobody has applied anything of this one. */
  knowNothing(): void {
    for (const holder of this.holders.values()) holder.applied = Snapshot.NOTHING;
  }

  /**
   * Until everybody who may hold a lease has applied these transactions, which are in the log, or holds none any more. Who gets
   * one from now on is told of them: the log is read after the lease is promised.
   * @param until `performance.now()` when it is not waited for any longer
   * @returns who had not applied them by then
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

  /** Each guard is looked at once: it never un-applies anything. */
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

  /** @returns until when it holds a lease without having applied them */
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

/** `performance.now()` by which a guard holds no lease, whatever becomes of the poll that is being answered. */
function endOf(holder: Holder | undefined): number {
  return holder ? Math.max(holder.until, holder.promised) : 0;
}
