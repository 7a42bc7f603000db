import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database, type Transaction } from '../../database/database.js';
import { MicroBatch } from '../../database/hot/micro-batch.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { GuardLeases } from './guard-leases.js';
import * as sql from './leases.sql.js';
import { Snapshot } from './snapshot.js';

const FIRST_PAUSE_MS = 2;
const LAST_PAUSE_MS = 25;
/** The most guards or instances that a log line names. */
const NAMED = 3;

interface Owing {
  readonly instance: string;
  readonly beat: string;
  /** `performance.now()` by which no guard of that instance holds a lease without having applied what is missing. */
  readonly until: number;
  readonly missing: readonly bigint[];
}

/**
 * Owns the wait before an end is acknowledged: until each guard that may hold a lease has applied the end, or its lease
 * is over. Every kind of end waits here, and so does a caller who finds that somebody else was faster.
 */
@Injectable()
export class ToldGuards {
  private readonly logger = new Logger('guards');
  /** Ends that are committed at the same time share one look into the register. */
  private readonly looks = new MicroBatch<void, readonly Owing[]>((waiting) => this.look(waiting.length), {
    name: 'look for guards',
    size: 1_000,
    flights: 2,
    queue: 20_000,
  });

  constructor(
    /** For callers that also run statements that end nothing. */
    readonly database: Database,
    private readonly leases: GuardLeases,
    private readonly telemetry: Telemetry,
  ) {}

  /**
   * Call it after the commit. Without guards it runs one statement, which finds an empty table.
   * @throws Unavailable if it could not find out what guards have applied: the end has happened, and must not be
   *   acknowledged
   */
  async wait(): Promise<void> {
    const began = performance.now();
    // our own guards hear of the end while the register is read
    this.leases.ring();
    const owing = await this.looks.ask();
    if (owing.length === 0) return;
    const own = owing.filter(({ instance }) => instance === this.leases.instance);
    const others = owing.filter(({ instance }) => instance !== this.leases.instance);
    const ofOwn = own.map(({ missing, until }) => this.leases.told(missing, until));
    const late = await Promise.all([...ofOwn, this.guardsOf(others)]);
    this.note(late.flat(), performance.now() - began);
  }

  /** Like `transaction` of the database, followed by the wait. @throws Unavailable, perhaps after the commit */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(work);
    await this.wait();
    return result;
  }

  private async look(count: number): Promise<(readonly Owing[])[]> {
    const rows = await this.database.run<sql.UnconfirmedRow>(sql.UNCONFIRMED);
    // the leases of an entry began before we saw the entry
    const seenAt = performance.now();
    const owing = rows.map(({ instance, beat, ttl_ms, missing }) => {
      return { instance, beat, until: seenAt + ttl_ms, missing: missing.map(BigInt) };
    });
    return Array.from({ length: count }, () => owing);
  }

  /** Waits for the guards of other instances. @returns the instances whose guards did not confirm in time */
  private async guardsOf(others: readonly Owing[]): Promise<readonly string[]> {
    if (others.length === 0) return [];
    await this.database.run(sql.RING);
    const late: string[] = [];
    let left = others;
    for (let pause = FIRST_PAUSE_MS; left.length > 0; pause = Math.min(pause * 1.5, LAST_PAUSE_MS)) {
      await sleep(pause);
      left = await this.stillOwing(left, late);
    }
    return late;
  }

  private async stillOwing(owing: readonly Owing[], late: string[]): Promise<Owing[]> {
    const now = performance.now();
    const ids = owing.map(({ instance }) => instance);
    const rows = await this.database.run<sql.RegisteredRow>(sql.READ_REGISTER, [ids]);
    const found = new Map(rows.map((row) => [row.instance, row]));
    const left: Owing[] = [];
    for (const one of owing) {
      const row = found.get(one.instance);
      const applied = Snapshot.parse(row?.applied ?? '');
      if (!row || (applied && one.missing.every((transaction) => applied.sees(transaction)))) continue;
      if (now < one.until) {
        left.push(one);
        continue;
      }
      late.push(`of instance ${one.instance}`);
      // an instance that has renewed nothing for the time of a lease is gone
      if (row.beat === one.beat) await this.database.run(sql.STRIKE_OUT, [one.instance, one.beat]);
    }
    return left;
  }

  private note(late: readonly string[], ms: number): void {
    this.telemetry.toldGuards(ms / 1_000, late.length > 0);
    if (late.length === 0) return;
    const more = late.length > NAMED ? ` and ${late.length - NAMED} more` : '';
    const named = late.slice(0, NAMED).join(', ');
    this.logger.warn(`an end was acknowledged ${Math.round(ms)} ms late: no answer from ${named}${more}`);
  }
}
