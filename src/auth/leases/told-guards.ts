import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database.js';
import { GuardLeases } from './guard-leases.js';
import * as sql from './leases.sql.js';
import { Snapshot } from './snapshot.js';

const FIRST_PAUSE_MS = 2;
const LAST_PAUSE_MS = 25;

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
  constructor(
    /** For those who also do what ends nothing. */
    readonly database: Database,
    private readonly leases: GuardLeases,
  ) {}

  /**
   * To be called after the commit. Without guards it is one statement that finds an empty table.
   * @throws Unavailable when it could not be found out: the end has happened, and must not be acknowledged
   */
  async wait(): Promise<void> {
    const began = performance.now();
    const rows = await this.database.run<sql.UnconfirmedRow>(sql.UNCONFIRMED);
    if (rows.length === 0) return;
    const owing = rows.map(({ instance, beat, ttl_ms, missing }) => {
      return { instance, beat, until: began + ttl_ms, missing: missing.map(BigInt) };
    });
    const own = owing.filter(({ instance }) => instance === this.leases.instance);
    const others = owing.filter(({ instance }) => instance !== this.leases.instance);
    await Promise.all([...own.map((one) => this.ownGuards(one)), this.guardsOf(others)]);
  }

  /** As that of the database, and then the wait. @throws Unavailable also when it has been committed */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(work);
    await this.wait();
    return result;
  }

  private async ownGuards({ missing, until }: Owing): Promise<void> {
    this.leases.ring();
    while (!this.leases.haveApplied(missing) && performance.now() < until) {
      const asked = this.leases.progress();
      await Promise.race([asked, sleep(Math.min(LAST_PAUSE_MS, until - performance.now()))]);
    }
  }

  private async guardsOf(others: readonly Owing[]): Promise<void> {
    if (others.length === 0) return;
    await this.database.run(sql.RING);
    let left = others;
    for (let pause = FIRST_PAUSE_MS; left.length > 0; pause = Math.min(pause * 1.5, LAST_PAUSE_MS)) {
      await sleep(pause);
      left = await this.stillOwing(left);
    }
  }

  private async stillOwing(owing: readonly Owing[]): Promise<Owing[]> {
    const now = performance.now();
    const ids = owing.map(({ instance }) => instance);
    const rows = await this.database.run<sql.RegisteredRow>(sql.READ_REGISTER, [ids]);
    const found = new Map(rows.map((row) => [row.instance, row]));
    const left: Owing[] = [];
    for (const one of owing) {
      const row = found.get(one.instance);
      const applied = Snapshot.parse(row?.applied ?? '');
      if (!row || (applied && one.missing.every((transaction) => applied.sees(transaction)))) continue;
      if (now < one.until) left.push(one);
      // as long as a lease lasts it has renewed nothing: it is gone
      else if (row.beat === one.beat) await this.database.run(sql.STRIKE_OUT, [one.instance, one.beat]);
    }
    return left;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
