import { randomUUID } from 'node:crypto';
import type { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import * as sql from './leases.sql.js';
import { Snapshot } from './snapshot.js';

/** The entry of this instance, which promises that all leases of its guards end a lease after `from` at the latest. */
export interface Renewed {
  readonly place: string;
  /** `performance.now()` before and after it was written. */
  readonly from: number;
  readonly at: number;
  /** What it says that all guards have applied. */
  readonly applied: Snapshot;
}

export interface Found {
  readonly seenBy: Snapshot;
  readonly rows: readonly sql.RevocationRow[];
}

const DESCRIBED_MS = 300;

/** Owns the entry of this instance in the register, and the reading of the log while that stands. */
export class LeaseRegister {
  readonly instance = randomUUID();
  /** Undefined while it does not stand, as far as is known here. */
  renewed: Renewed | undefined;
  private beat = 0;
  private describeAt = 0;
  private describing: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly ttlMs: number,
  ) {}

  /**
   * @param applied by all guards that may hold a lease, at the place where it was before; undefined if there are none
   * @throws Unavailable
   */
  async renew(applied: Snapshot | undefined, guards: number, place: string | undefined): Promise<Renewed> {
    this.beat += 1;
    const from = performance.now();
    const values = [this.instance, this.beat, applied?.toString() ?? null, this.ttlMs, guards, place ?? null];
    const [row] = await this.database.run<sql.RenewedRow>(sql.RENEW_LEASE, values);
    const published = Snapshot.parse(row?.applied ?? '');
    if (!row || !published) throw new Unavailable('the register of leases gave no answer');
    this.renewed = { place: row.place, from, at: performance.now(), applied: published };
    return this.renewed;
  }

  /**
   * What is new in the log, in a snapshot that sees the entry.
   * @returns undefined if it does not: whoever has taken it out waits for none of these guards any more
   * @throws Unavailable
   */
  async read({ place }: Renewed, after: Snapshot, most: number): Promise<Found | undefined> {
    const values = [after.toString(), most, this.instance, this.beat];
    const rows = await this.database.run<sql.NewRow>(sql.READ_NEW, values);
    const [first] = rows;
    const seenBy = Snapshot.parse(first?.snapshot ?? '');
    if (first?.place === place && first.entered && seenBy)
      return { seenBy, rows: rows.filter(({ id }) => id !== null) };
    this.renewed = undefined;
    return undefined;
  }

  /** For people, and seldom: a hundred guards a second. Nothing waits for it, and nobody hears of it when it fails. */
  describe(all: () => readonly sql.DescribedGuard[]): void {
    this.describing ??= setTimeout(() => {
      this.describing = undefined;
      if (!this.renewed) return;
      const guards = all();
      this.describeAt = performance.now() + Math.max(DESCRIBED_MS, guards.length * 10);
      void this.database.run(sql.DESCRIBE, [this.instance, JSON.stringify(guards)]).catch(() => undefined);
    }, this.describeAt - performance.now()).unref();
  }

  /** Nobody holds a lease of this instance. @throws Unavailable */
  async leave(): Promise<void> {
    this.renewed = undefined;
    clearTimeout(this.describing);
    this.describing = undefined;
    if (this.beat > 0) await this.database.run(sql.LEAVE_REGISTER, [this.instance]);
  }
}
