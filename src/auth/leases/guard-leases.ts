import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG, type Config } from '../../config/config.js';
import { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { Alarm } from './alarm.js';
import { Bell } from './bell.js';
import { LeaseHolders } from './lease-holders.js';
import * as sql from './leases.sql.js';
import { LeaseRegister, type Renewed } from './lease-register.js';
import { Publication } from './publication.js';
import { OpenPolls } from './open-polls.js';
import { recentFor, type News, type Poll, type Position, type Question } from './poll.js';
import type { RecentRevocations } from './recent-revocations.js';

const RECENT_MOST = 10_000;
const GONE = 'the guard does not wait any more';
/** Polls that are due within this time are answered now, together with the rest. */
const TOGETHER_MS = 10;
const PAUSE_MS = 100;
const STOP_MOST_MS = 5_000;

/**
 * Owns the leases that this instance gives to guards. The order of the steps is the proof (docs/decisions/0048, 0062):
 * a poll comes; an entry in the register is committed that lasts at least as long as the lease of the answer; the log
 * is read in another snapshot; the poll is answered.
 */
@Injectable()
export class GuardLeases implements BeforeApplicationShutdown {
  private readonly register: LeaseRegister;
  private readonly holders = new LeaseHolders();
  private readonly bell: Bell;
  private readonly polls = new OpenPolls();
  private recent: RecentRevocations | undefined;
  private readonly publication: Publication;
  private rung = false;
  private turning: Promise<void> | undefined;
  private readonly alarm = new Alarm(() => this.turn());
  private stopped = false;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Pick<Config, 'LEASE_TTL'>,
  ) {
    this.register = new LeaseRegister(database, this.ttlMs);
    this.publication = new Publication(this.holders, () => this.alarm.setFor(0));
    this.bell = new Bell(database, (payload) => this.heard(payload));
  }

  get instance(): string {
    return this.register.instance;
  }

  get ttlMs(): number {
    return this.config.LEASE_TTL * 1_000;
  }

  /**
   * Answers a poll when there are new revocations, or when leases are renewed, after a third of a lease.
   * @param gone aborted when the guard does not wait any more
   * @throws Unavailable
   */
  ask({ guard, from, proof }: Question, gone: AbortSignal): Promise<News> {
    const askedAt = performance.now();
    if (this.stopped) throw new Unavailable('the server stops');
    const isNew = !this.holders.holds(guard);
    if (!this.polls.hasRoom(isNew, this.holders.size)) throw new Unavailable('too many guards');
    this.bell.listen();
    this.acknowledge(guard, from);
    // the log has news for this guard: others were told of it before this guard asked
    if (this.recent?.place === from.place && this.recent.hasNews(from.snapshot)) this.rung = true;
    const renewedAt = Math.min(askedAt, this.register.renewed?.at ?? 0);
    const due = isNew ? askedAt : Math.max(askedAt, renewedAt + this.ttlMs / 3);
    if (gone.aborted) throw new Unavailable(GONE);
    return new Promise((resolve, reject) => {
      const poll = this.polls.open({ guard, from, proof, askedAt, isNew, due, resolve, reject });
      gone.addEventListener('abort', () => this.giveUp(poll, new Unavailable(GONE)));
      if (!this.turning) this.alarm.setFor(this.isUrgent() ? 0 : due);
    });
  }

  /** Hears what a guard has applied before the database lets its client in: only the guard knows its secret and name. */
  hear({ guard, from, proof }: Question): void {
    if (proof && this.holders.isProof(guard, proof)) this.acknowledge(guard, from);
  }

  /** A guard that stops holds no lease any more, at any instance, and nobody waits for it. @throws Unavailable */
  async leave(guard: string): Promise<void> {
    if (!this.holders.holds(guard)) await this.database.run(sql.TELL_LEAVING, [guard]);
    else this.letGo(guard);
  }

  /** Rejects a poll. The answer will reach nobody, so the guard gets no lease from this poll. */
  private giveUp(poll: Poll, why: unknown): void {
    if (!this.polls.close(poll)) return;
    if (this.polls.of(poll.guard).length === 0) this.holders.unanswered(poll.guard);
    poll.reject(why);
    if (!this.turning) this.schedule();
  }

  private acknowledge(guard: string, { place, snapshot }: Position): void {
    if (this.recent?.place === place) this.holders.acknowledge(guard, snapshot);
  }

  private letGo(guard: string): void {
    this.holders.leave(guard);
    // its last poll may have come before, and we may notice only later that its connection has closed
    for (const poll of this.polls.of(guard)) this.giveUp(poll, new Unavailable('the guard has left'));
    if (!this.turning) this.schedule();
  }

  private heard(payload: string | undefined): void {
    const guard = sql.leavingGuard(payload);
    if (guard !== undefined) return this.letGo(guard);
    this.publication.awaited();
    this.ring();
  }

  /** Call it when something was written into the log. */
  ring(): void {
    this.rung = true;
    if (this.polls.size > 0 && !this.turning && !this.stopped) this.alarm.setFor(0);
  }

  /** @returns the guards that may hold a lease of this instance and have not applied these transactions by `until` */
  async told(transactions: readonly bigint[], until: number): Promise<readonly string[]> {
    if (!this.hasRead(transactions)) await this.turning;
    if (!this.hasRead(transactions)) this.ring();
    return this.holders.told(transactions, until);
  }

  /** Each guard with a lease: how many revocations known here it has not applied, and how many ends wait for it. */
  guards(): sql.DescribedGuard[] {
    return this.holders
      .all()
      .map(({ applied, ...one }) => ({ ...one, behind: this.recent?.countAfter(applied) ?? 0 }));
  }

  /** While the pool is open: deletes the entry if all leases are over within 5 s, so that nobody waits for it. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    this.alarm.stop();
    for (const poll of this.polls.all) this.giveUp(poll, new Unavailable('the server stops'));
    await this.turning;
    await this.holders.over(performance.now() + STOP_MOST_MS);
    if (this.holders.count === 0) await this.rest().catch(() => undefined);
    this.bell.stop();
  }

  /** Sets the alarm: at once if urgent, else for the first due poll; without polls, for the end of the first lease. */
  private schedule(): void {
    if (this.stopped) return;
    if (this.polls.size === 0) {
      const end = this.holders.firstEnd;
      // also if all guards of the entry have gone meanwhile
      if (end !== undefined || this.register.renewed) this.alarm.setFor((end ?? 0) + 1);
    } else if (this.isUrgent()) this.alarm.setFor(0);
    else this.alarm.setFor(this.polls.firstDue);
  }

  private hasRead(transactions: readonly bigint[]): boolean {
    return transactions.every((one) => this.recent?.upTo.sees(one));
  }

  private isUrgent(): boolean {
    return this.rung || this.publication.isDue;
  }

  private turn(): void {
    this.turning ??= this.act().finally(() => {
      this.turning = undefined;
      this.schedule();
    });
  }

  private async act(): Promise<void> {
    try {
      if (this.polls.size > 0) await this.round();
      else if (this.holders.count === 0) await this.rest();
    } catch (fault) {
      for (const poll of this.polls.all) this.giveUp(poll, fault);
      await sleep(PAUSE_MS);
    }
  }

  /** Nobody holds a lease and nobody asks: frees everything, so that it costs nothing until somebody asks. */
  private async rest(): Promise<void> {
    this.bell.stop();
    this.recent = undefined;
    this.publication.clear();
    await this.register.leave();
  }

  private async round(): Promise<void> {
    const batch = this.polls.all;
    this.rung = false;
    const renewed = this.lasting(batch) ?? (await this.enter(batch));
    const log = (this.recent ??= recentFor(batch, renewed, RECENT_MOST));
    const lengthFor = (poll: Poll): number => this.ttlMs - Math.max(0, poll.askedAt - renewed.from);
    for (const poll of batch.filter((one) => this.polls.has(one)))
      this.holders.expect(poll.guard, poll.askedAt + lengthFor(poll), renewed.applied, poll.proof);
    const found = await this.register.read(renewed, log.upTo, RECENT_MOST + 1);
    if (!found) return this.ring();
    log.add(found.rows, found.seenBy);
    this.publication.add(found.rows.map(({ xid }) => BigInt(xid)));
    this.register.describe(() => this.guards());
    this.answer(batch, { place: renewed.place, snapshot: found.seenBy }, lengthFor);
    // polls that have come meanwhile are told in the next round
    if (found.rows.length > 0 && this.polls.all.some((poll) => !batch.includes(poll))) this.rung = true;
  }

  /** @returns the entry of an earlier answer, if it is enough for these polls: they get the time that it has left */
  private lasting(batch: readonly Poll[]): Renewed | undefined {
    const { renewed } = this.register;
    if (!this.recent || !renewed || this.publication.isDue) return undefined;
    const now = performance.now();
    const isYoung = now < Math.min(renewed.at + this.ttlMs / 3 - TOGETHER_MS, renewed.from + this.ttlMs / 2);
    const areKnown = batch.every(({ guard, isNew }) => !isNew && this.holders.holds(guard));
    return isYoung && areKnown ? renewed : undefined;
  }

  private async enter(batch: readonly Poll[]): Promise<Renewed> {
    const guards = new Set([...this.holders.names(), ...batch.map(({ guard }) => guard)]).size;
    const before = this.recent?.place;
    const renewed = await this.register.renew(this.holders.applied, guards, before);
    if (renewed.place !== before) {
      this.holders.knowNothing();
      this.recent = undefined;
    }
    this.publication.done(renewed.applied);
    return renewed;
  }

  private answer(batch: readonly Poll[], position: Position, lengthFor: (poll: Poll) => number): void {
    for (const poll of batch) {
      // the poll was given up meanwhile: its answer must reach nobody
      if (!this.polls.has(poll)) continue;
      const { place, snapshot } = poll.from;
      // a database that was put back to an earlier copy keeps its place: a cursor from its future says nothing
      const isHere = place === position.place && position.snapshot.covers(snapshot);
      const revocations = isHere ? this.recent?.after(snapshot) : undefined;
      if (revocations?.length === 0 && poll.due > performance.now() + TOGETHER_MS) continue;
      this.polls.close(poll);
      const leaseMs = Math.floor(lengthFor(poll));
      if (revocations) this.holders.answered(poll.guard, poll.askedAt + leaseMs);
      poll.resolve(revocations ? { position, revocations, leaseMs } : 'too far behind');
    }
  }
}
