import { randomUUID } from 'node:crypto';
import type { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import * as sql from './leases.sql.js';
import { Snapshot } from './snapshot.js';

/** The entry of this instance. It promises that all leases of its guards end one lease after `from` at the latest. */
export interface Renewed {
  readonly place: string;
  /** `performance.now()` before (`from`) and after (`at`) the entry was written. */
  readonly from: number;
  readonly at: number;
  /** What all guards have applied, according to the entry. */
  readonly applied: Snapshot;
}

export interface Found {
  readonly seenBy: Snapshot;
  readonly rows: readonly sql.RevocationRow[];
}

const DESCRIBED_MS = 300;

/** Owns the entry of this instance in the register, and the reading of the log while the entry stands. */
export class LeaseRegister {
  readonly instance = randomUUID();
  /** The entry; undefined if this instance knows of none in the register. */
  renewed: Renewed | undefined;
  private beat = 0;
  private describeAt = 0;
  private describing: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly ttlMs: number,
  ) {}

  /**
   * Writes the entry.
   * @param applied what all guards that may hold a lease have applied; undefined if there are no such guards
   * @param guards how many guards the entry is for
   * @param place the place of the log that `applied` belongs to
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
   * Reads the new rows of the log, in a snapshot that sees the entry.
   * @returns undefined if the snapshot does not see the entry, or if the place has changed: whoever has deleted the
   *   entry waits for none of these guards any more
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

  /** Describes the guards for people, at most a hundred guards a second. Nobody waits for it; errors are ignored. */
  describe(all: () => readonly sql.DescribedGuard[]): void {
    this.describing ??= setTimeout(() => {
      this.describing = undefined;
      if (!this.renewed) return;
      const guards = all();
      this.describeAt = performance.now() + Math.max(DESCRIBED_MS, guards.length * 10);
      void this.database.run(sql.DESCRIBE, [this.instance, JSON.stringify(guards)]).catch(() => undefined);
    }, this.describeAt - performance.now()).unref();
  }

  /** Deletes the entry. Call it when nobody holds a lease of this instance. @throws Unavailable */
  async leave(): Promise<void> {
    this.renewed = undefined;
    clearTimeout(this.describing);
    this.describing = undefined;
    if (this.beat > 0) await this.database.run(sql.LEAVE_REGISTER, [this.instance, this.beat]);
  }
}
