import { Inject, Injectable, Logger } from '@nestjs/common';
import type pg from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../clock.js';
import { auditRetention, stateAuditRetention } from './audit-retention.js';
import { thinAuditLog } from './audit-thinning.js';
import { HOLD_MS, LOCKED, TOO_LONG, unlessLocked } from './in-turn.js';
import { daysFrom, monthsFrom, type Range } from './partition-ranges.js';
import { purgeRows } from './purge-rows.js';
import { purgeUnusedClients } from './unused-clients.js';
import { openClient } from '../pinned-client.js';
import { sqlState } from '../postgres-error.js';
import type { DatabaseConnection } from '../session-settings.js';

const DAY_MS = 86_400_000;

export interface UpkeepState {
  /** When the partitions were last made ahead and counted: milliseconds since the epoch, 0 if never. */
  readonly doneAt: number;
  /** Rows in the default partitions, by table. The count of each table stops at 10,000. */
  readonly astray: Readonly<Record<string, number>>;
}

export interface PurgeReport {
  readonly partitions: string[];
  readonly grants: number;
}

/**
 * Makes partitions ahead of need and drops expired ones, on a connection of its own. Any number of instances may run it
 * at once: each step is idempotent, and waits at most 50 ms for a lock, because other sessions wait behind it.
 */
@Injectable()
export class Maintenance {
  private readonly logger = new Logger('database');
  private connection: DatabaseConnection | undefined;
  private upkeep: UpkeepState = { doneAt: 0, astray: {} };

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** The state as this process has last seen it. */
  get state(): UpkeepState {
    return this.upkeep;
  }

  /** Sets the database to maintain. */
  use(connection: DatabaseConnection): void {
    this.connection = connection;
  }

  /**
   * Makes the partitions for a start. A long read, such as a dump, may lock the tables, but does not stop the start:
   * the default partitions take the new rows.
   */
  async prepare(connection: DatabaseConnection): Promise<void> {
    this.use(connection);
    try {
      await this.ensurePartitions();
      await this.lookBack();
    } catch (error) {
      if (sqlState(error) !== LOCKED) throw error;
    }
  }

  /** Makes partitions and purges. @param tell receives the progress in a few words */
  async run(tell?: (progress: string) => void): Promise<PurgeReport> {
    await this.ensurePartitions();
    const report = await this.purge(tell);
    await this.lookBack();
    return report;
  }

  async ensurePartitions(): Promise<void> {
    const now = this.clock.now();
    const wanted: [string, Range[]][] = [
      ['access_tokens', daysFrom(now, now + this.config.ACCESS_TOKEN_TTL * 1_000 + 2 * DAY_MS)],
      ['refresh_tokens', monthsFrom(now, now + this.config.REFRESH_TOKEN_TTL * 1_000 + 32 * DAY_MS)],
      ['audit_events', monthsFrom(now, now + 32 * DAY_MS)],
    ];
    await this.session(async (client) => {
      await this.settleAuditRetention(client);
      const { rows } = await client.query<{ name: string }>(ATTACHED);
      const attached = new Set(rows.map((row) => row.name));
      for (const [parent, ranges] of wanted)
        for (const { name, from, to } of ranges)
          if (!attached.has(`${parent}_${name}`))
            await this.unlessCrowded(`${parent}_${name}`, () =>
              unlessLocked(client, 'SELECT keks_make_partition($1, $2, $3)', [parent, from, to]),
            );
    });
  }

  /**
   * Tells the database how long to keep audit events, if this role owns the tables. A role that only serves cannot
   * delete them sooner than the owner has said.
   */
  private async settleAuditRetention(client: pg.Client): Promise<void> {
    const { AUDIT_RETENTION: months, AUDIT_RETENTION_BY_TYPE: byType } = this.config;
    const stated = await auditRetention(client);
    if (stated.months === months && stated.byType === byType) return;
    if (stated.owner) await unlessLocked(client, stateAuditRetention({ months, byType }), []);
    else if (stated.months > months)
      this.logger.warn(
        `the database keeps audit events for ${stated.months} months, not ${months}: run "keks migrate" with this AUDIT_RETENTION as the owner of the tables`,
      );
    else if (stated.byType !== byType)
      this.logger.warn(
        `the database has "${stated.byType}" for AUDIT_RETENTION_BY_TYPE, not "${byType}": run "keks migrate" with it as the owner of the tables`,
      );
  }

  /**
   * Logs a partition that would take too long to make. Everything works without the partition, too. The next attempt is
   * within the hour.
   */
  private async unlessCrowded(name: string, make: () => Promise<unknown>): Promise<void> {
    try {
      await make();
    } catch (error) {
      if (sqlState(error) !== TOO_LONG) throw error;
      this.logger.warn(
        `no partition ${name} yet: to move its rows out of the default one would keep everybody waiting for more than ${HOLD_MS} ms`,
      );
    }
  }

  /**
   * Drops partitions that are wholly over, deletes expired rows and unused clients, and thins the audit log.
   * @param tell receives the progress in a few words
   */
  async purge(tell: (progress: string) => void = () => undefined): Promise<PurgeReport> {
    const now = this.clock.now();
    return this.session(async (client) => {
      const { rows } = await client.query<{ name: string }>(ATTACHED);
      const partitions: string[] = [];
      for (const [at, { name }] of rows.entries()) {
        tell(`partitions: ${at + 1} of ${rows.length}`);
        const over = name.startsWith('audit_events_') ? monthsBefore(now, this.config.AUDIT_RETENTION) : now;
        const [row] = await unlessLocked<{ dropped: boolean }>(
          client,
          'SELECT keks_drop_partition($1, $2) AS dropped',
          [name, new Date(over)],
        );
        if (row?.dropped) partitions.push(name);
      }
      const grants = await purgeRows(client, now, this.config.REFRESH_TOKEN_TTL * 1_000, tell);
      await purgeUnusedClients(client, now, this.config.REGISTRATION_UNUSED_TTL);
      const left = rows.map(({ name }) => name).filter((name) => !partitions.includes(name));
      await thinAuditLog(client, left, tell);
      return { partitions, grants };
    });
  }

  /** Notes the time, and counts the rows in the default partitions. */
  private async lookBack(): Promise<void> {
    const astray = await this.session(async (client) => {
      const { rows } = await client.query<{ table: string; rows: number }>(ASTRAY);
      return Object.fromEntries(rows.map(({ table, rows: count }) => [table, count]));
    });
    this.upkeep = { doneAt: this.clock.now(), astray };
  }

  private async session<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await openClient(this.connection ?? {});
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

const ATTACHED = `
  SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent IN ('access_tokens'::regclass, 'refresh_tokens'::regclass, 'audit_events'::regclass)
     AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
   ORDER BY c.relname`;

const COUNTED_MOST = 10_000;
const ASTRAY = ['access_tokens', 'refresh_tokens', 'audit_events']
  .map(
    (table) =>
      `SELECT '${table}' AS table, count(*)::int AS rows FROM (SELECT FROM ${table}_default LIMIT ${COUNTED_MOST}) AS astray`,
  )
  .join(' UNION ALL ');

function monthsBefore(now: number, months: number): number {
  const at = new Date(now);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - months, 1);
}
