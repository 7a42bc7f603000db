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
/** So many are named in a line of the log. */
const NAMED = 3;

interface Owing {
  readonly instance: string;
  readonly beat: string;
  /** `performance.now()` by which no guard of that instance has a lease without knowing what is missing. */
  readonly until: number;
  readonly missing: readonly bigint[];
}

/**
 * Owns the wait before an end is acknowledged: until every guard that may hold a lease has applied it, or its lease is over.
 * Every kind of end comes through here, and so does whoever finds that somebody else has ended it.
 */
@Injectable()
export class ToldGuards {
  private readonly logger = new Logger('guards');
  /** Ends that have been committed together look into the register together. */
  private readonly looks = new MicroBatch<void, readonly Owing[]>((waiting) => this.look(waiting.length), {
    name: 'look for guards',
    size: 1_000,
    flights: 2,
    queue: 20_000,
  });

  constructor(
    /** For those who also do what ends nothing. */
    readonly database: Database,
    private readonly leases: GuardLeases,
    private readonly telemetry: Telemetry,
  ) {}

  /**
   * To be called after the commit. Without guards it is one statement that finds an empty table.
   * @throws Unavailable when it could not be found out: the end has happened, and must not be acknowledged
   */
  async wait(): Promise<void> {
    const began = performance.now();
    // they hear of it while the register is read
    this.leases.ring();
    const owing = await this.looks.ask();
    if (owing.length === 0) return;
    const own = owing.filter(({ instance }) => instance === this.leases.instance);
    const others = owing.filter(({ instance }) => instance !== this.leases.instance);
    const ofOwn = own.map(({ missing, until }) => this.leases.told(missing, until));
    const late = await Promise.all([...ofOwn, this.guardsOf(others)]);
    this.note(late.flat(), performance.now() - began);
  }

  /** As that of the database, and then the wait. @throws Unavailable also when it has been committed */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(work);
    await this.wait();
    return result;
  }

  private async look(count: number): Promise<(readonly Owing[])[]> {
    const rows = await this.database.run<sql.UnconfirmedRow>(sql.UNCONFIRMED);
    // leases of an entry that has been seen began before it was seen
    const seenAt = performance.now();
    const owing = rows.map(({ instance, beat, ttl_ms, missing }) => {
      return { instance, beat, until: seenAt + ttl_ms, missing: missing.map(BigInt) };
    });
    return Array.from({ length: count }, () => owing);
  }

  /** @returns instances whose guards it has waited for in vain */
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
      // as long as a lease lasts it has renewed nothing: it is gone
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
