import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { Bell } from './bell.js';
import { LeaseHolders } from './lease-holders.js';
import * as sql from './leases.sql.js';
import { RecentRevocations, type Revocation } from './recent-revocations.js';
import { Snapshot } from './snapshot.js';

/** What a guard has applied, and where. */
export interface Position {
  readonly place: string;
  readonly snapshot: Snapshot;
}

/** What is new to a guard, after which it has applied all of `position` and may hold a lease. Or: begin again. */
export type News = { readonly position: Position; readonly revocations: Revocation[] } | 'too far behind';

interface Poll {
  readonly guard: string;
  readonly from: Position;
  readonly askedAt: number;
  /** Answered by then, also if there is nothing new. */
  readonly due: number;
  readonly resolve: (news: News) => void;
  readonly reject: (fault: unknown) => void;
}

const GUARDS_MOST = 1_000;
/** A guard that asks again has given up the question before, or will soon. */
const POLLS_MOST = 2 * GUARDS_MOST;
const RECENT_MOST = 10_000;
/** Polls that would be answered so soon are answered together. */
const TOGETHER_MS = 10;
const PAUSE_MS = 100;

/**
 * Owns the leases that this instance gives to guards. The order is the proof (docs/decisions/0048): a poll has come, the
 * lease is committed, then the log is read in another snapshot, then the poll is answered.
 */
@Injectable()
export class GuardLeases implements BeforeApplicationShutdown {
  readonly instance = randomUUID();
  private readonly holders: LeaseHolders;
  private readonly bell: Bell;
  private readonly polls = new Set<Poll>();
  private recent: { readonly place: string; readonly log: RecentRevocations } | undefined;
  private published = Snapshot.NOTHING;
  /**
   * Guards have been told of them, and the register does not say yet that they have applied them: to say so soon, and not only
   * with the next lease. Of very many the last are enough for that.
   */
  private unpublished: bigint[] = [];
  private beat = 0;
  private rung = false;
  private running = false;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private asked: { readonly again: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Pick<Config, 'LEASE_TTL'>,
  ) {
    this.holders = new LeaseHolders(this.ttlMs);
    this.bell = new Bell(database, () => this.ring());
  }

  get ttlMs(): number {
    return this.config.LEASE_TTL * 1_000;
  }

  /**
   * Answered when there is something new, or after a third of a lease.
   * @param gone aborted when the guard does not wait any more
   * @throws Unavailable
   */
  ask(guard: string, from: Position, gone: AbortSignal): Promise<News> {
    const askedAt = performance.now();
    if (this.stopped) throw new Unavailable('the server stops');
    const isKnown = this.holders.holds(guard);
    const room = this.polls.size < (isKnown ? POLLS_MOST : GUARDS_MOST);
    if (!room || (!isKnown && this.holders.count >= GUARDS_MOST)) throw new Unavailable('too many guards');
    this.bell.listen();
    if (this.recent?.place === from.place) this.holders.acknowledge(guard, from.snapshot);
    this.wake();
    const due = askedAt + (isKnown ? this.ttlMs / 3 : 0);
    return new Promise((resolve, reject) => {
      const poll = { guard, from, askedAt, due, resolve, reject };
      this.polls.add(poll);
      gone.addEventListener('abort', () => {
        if (this.polls.delete(poll)) reject(new Unavailable('the guard does not wait any more'));
      });
      this.schedule();
    });
  }

  /** Something has been written into the log. */
  ring(): void {
    this.rung = true;
    if (this.polls.size > 0) this.schedule();
  }

  /**
   * Whether all guards that may hold a lease of this instance have applied these transactions, which are in the log. Who gets
   * a lease from now on is told of them: the log is read after the lease is promised.
   */
  haveApplied(transactions: readonly bigint[]): boolean {
    const { applied } = this.holders;
    return applied === undefined || transactions.every((one) => applied.sees(one));
  }

  /** Resolves when a guard has asked again. */
  progress(): Promise<void> {
    if (!this.asked) {
      let resolve = (): void => undefined;
      const again = new Promise<void>((done) => (resolve = done));
      this.asked = { again, resolve };
    }
    return this.asked.again;
  }

  /** While the pool is still open. Others wait for our guards as long as a lease lasts. */
  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.bell.stop();
    for (const { reject } of this.polls) reject(new Unavailable('the server stops'));
    this.polls.clear();
  }

  private wake(): void {
    this.asked?.resolve();
    this.asked = undefined;
  }

  /** At once if there is something to do at once, else when the first poll is due, or the last lease is over. */
  private schedule(pause = 0): void {
    if (this.running || this.stopped) return;
    clearTimeout(this.timer);
    const now = performance.now();
    const isUrgent = this.polls.size > 0 && (this.rung || this.hasUnpublished());
    const dues = [...this.polls].map(({ due }) => due);
    const idleAt = this.holders.firstEnd ?? now + this.ttlMs;
    const at = isUrgent ? now : Math.min(...dues, dues.length === 0 ? idleAt + 1 : Infinity);
    this.timer = setTimeout(() => void this.turn(), Math.max(pause, at - now)).unref();
  }

  /** Somebody elsewhere may wait for it. */
  private hasUnpublished(): boolean {
    return this.unpublished.length > 0 && this.haveApplied(this.unpublished);
  }

  private async turn(): Promise<void> {
    if (this.running) return;
    this.running = true;
    let pause = 0;
    try {
      if (this.polls.size > 0) await this.round();
      else if (this.holders.count === 0) await this.rest();
    } catch (fault) {
      for (const { reject } of this.polls) reject(fault);
      this.polls.clear();
      pause = PAUSE_MS;
    } finally {
      this.running = false;
    }
    if (this.polls.size > 0 || this.holders.count > 0) this.schedule(pause);
  }

  /** Nobody holds a lease and nobody asks: it costs nothing until somebody does. */
  private async rest(): Promise<void> {
    this.bell.stop();
    this.recent = undefined;
    this.unpublished = [];
    if (this.beat > 0) await this.database.run(sql.LEAVE_REGISTER, [this.instance]);
  }

  private async round(): Promise<void> {
    const batch = [...this.polls];
    this.rung = false;
    const place = await this.enter(batch);
    if (this.recent?.place !== place)
      this.recent = { place, log: startOf(batch, { place, snapshot: this.published }) };
    const { log } = this.recent;
    const values = [log.upTo.toString(), RECENT_MOST + 1, this.instance, this.beat];
    const rows = await this.database.run<sql.RevocationRow & { entered: boolean }>(sql.READ_NEW, values);
    const seenBy = Snapshot.parse(rows[0]?.snapshot ?? '');
    // whoever has taken it out of the register waits for none of its guards any more: it begins again
    if (rows[0]?.place !== place || !rows[0].entered || !seenBy) return this.ring();
    const found = rows.filter(({ id }) => id !== null);
    log.add(found, seenBy);
    this.unpublished.push(...new Set(found.map(({ xid }) => BigInt(xid))));
    this.answer(batch, log, { place, snapshot: seenBy });
  }

  /** @returns where the lease has been committed */
  private async enter(batch: readonly Poll[]): Promise<string> {
    const { applied } = this.holders;
    this.beat += 1;
    const guards = new Set([...batch.map(({ guard }) => guard)]).size;
    const values = [this.instance, this.beat, applied?.toString() ?? null, this.ttlMs, guards];
    const [row] = await this.database.run<sql.RenewedRow>(sql.RENEW_LEASE, [
      ...values,
      this.recent?.place ?? null,
    ]);
    const published = Snapshot.parse(row?.applied ?? '');
    if (!row || !published) throw new Unavailable('the register of leases gave no answer');
    if (this.recent && row.place !== this.recent.place) this.holders.knowNothing();
    this.published = published;
    this.unpublished = this.unpublished.filter((one) => !published.sees(one)).slice(-RECENT_MOST);
    for (const { guard, askedAt } of batch) this.holders.expect(guard, askedAt, published);
    return row.place;
  }

  private answer(batch: readonly Poll[], log: RecentRevocations, position: Position): void {
    const soon = performance.now() + TOGETHER_MS;
    for (const poll of batch) {
      // given up meanwhile: its answer must reach nobody
      if (!this.polls.has(poll)) continue;
      const revocations = poll.from.place === position.place ? log.after(poll.from.snapshot) : undefined;
      if (revocations?.length === 0 && poll.due > soon) continue;
      this.polls.delete(poll);
      poll.resolve(revocations ? { position, revocations } : 'too far behind');
    }
  }
}

/** Nothing is kept before somebody asks; then what the one that is furthest behind has not seen. Nobody is ahead of `now`. */
function startOf(batch: readonly Poll[], now: Position): RecentRevocations {
  const known = batch.filter(({ from }) => from.place === now.place);
  const since = known.reduce((all, { from }) => all.meet(from.snapshot), now.snapshot);
  return new RecentRevocations(since, RECENT_MOST);
}
