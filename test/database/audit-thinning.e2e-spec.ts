import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionOf } from '../../src/database/pools.js';
import { thinAuditLog } from '../../src/database/schema/audit-thinning.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const STEP = 20_000;
/** In the month: first a step that is all to go, then one of both, then a rest. */
const TO_GO = STEP;
const MIXED = STEP + 500;

describe('a month of the audit log that is thinned', () => {
  let database: TestDatabase;
  let part: string;
  const sql = async <R>(text: string, values: unknown[] = []): Promise<R[]> =>
    (await database.client.query(text, values)).rows as R[];

  beforeAll(async () => {
    database = await createDatabase();
    const first = `(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '2 months') AT TIME ZONE 'UTC'`;
    await sql(`SELECT keks_make_partition('audit_events', ${first}, ${first} + interval '1 month')`);
    const [row] = await sql<{ name: string }>(
      `SELECT 'audit_events_' || to_char(${first} AT TIME ZONE 'UTC', 'YYYYMMDD') AS name`,
    );
    part = row?.name ?? '';
    // two and more in a microsecond
    await sql(
      `INSERT INTO audit_events (created_at, type)
       SELECT ${first} + n / 3 * interval '1 microsecond', CASE WHEN n <= $1 OR n % 2 = 0 THEN 'token.issued' ELSE 'user.added' END
         FROM generate_series(1, $1::int + $2::int) n`,
      [TO_GO, MIXED],
    );
    await sql(`COMMENT ON COLUMN audit_events.type IS 'token.issued=1'`);
  });

  afterAll(() => database.close());

  const step = async (): Promise<boolean | null | undefined> =>
    (await sql<{ is: boolean | null }>('SELECT keks_thin_audit($1, false) AS is', [part]))[0]?.is;
  const counted = async (table: string): Promise<string[]> =>
    (await sql<{ is: string }>(`SELECT type || ' ' || count(*) AS is FROM ${table} GROUP BY type`)).map(
      ({ is }) => is,
    );

  /** What it came to, and how much of the month was looked at for it. */
  async function looked<T>(work: () => Promise<T>): Promise<[T, { scans: number; rows: number }]> {
    const read = async (): Promise<{ scans: number; rows: number }> =>
      (
        await sql<{ scans: number; rows: number }>(
          `SELECT seq_scan::int AS scans, seq_tup_read::int + idx_tup_fetch::int AS rows
             FROM pg_stat_xact_user_tables WHERE relname = $1`,
          [part],
        )
      )[0] ?? { scans: 0, rows: 0 };
    await sql('BEGIN');
    const before = await read();
    const result = await work();
    const after = await read();
    await sql('COMMIT');
    return [result, { scans: after.scans - before.scans, rows: after.rows - before.rows }];
  }

  it('is copied step by step, by its key, also where nothing of a step stays', async () => {
    expect(await looked(step)).toEqual([null, { scans: 0, rows: STEP }]);
    expect(await counted(`${part}_thin`)).toEqual([]);
    expect(await looked(step)).toEqual([null, { scans: 0, rows: STEP }]);
    // the step ends within a microsecond, whose three events are in the order of their random ids
    expect([STEP / 2, STEP / 2 + 1].map((count) => [`user.added ${count}`])).toContainEqual(
      await counted(`${part}_thin`),
    );
  });

  it('takes its place only when all of it is there, and one that was begun by others is gone on with', async () => {
    expect(await sql('SELECT keks_thin_audit($1, true) AS is', [part])).toEqual([{ is: false }]);
    const other = new pg.Client(connectionOf(database.url));
    await other.connect();
    const copy = (await sql<{ oid: string }>(`SELECT '${part}_thin'::regclass::oid`))[0]?.oid;
    await thinAuditLog(other, [part], () => undefined);
    await other.end();
    expect(await counted(part)).toEqual([`user.added ${MIXED / 2}`]);
    expect(await sql(`SELECT '${part}'::regclass::oid`)).toEqual([{ oid: copy }]);
    expect(await step()).toBe(false);
  });

  it('begins again when the owner lets other types go meanwhile', async () => {
    await sql(`COMMENT ON COLUMN audit_events.type IS 'user.added=1'`);
    await sql(
      `INSERT INTO audit_events (created_at, type)
       SELECT (SELECT min(created_at) FROM audit_events) + n * interval '1 microsecond', 'token.refreshed'
         FROM generate_series(1, $1::int) n`,
      [STEP],
    );
    expect(await step()).toBe(null);
    await sql(`COMMENT ON COLUMN audit_events.type IS 'token.refreshed=1'`);
    for (let made = await step(); made !== true; made = await step()) expect(made).toBe(null);
    expect(await counted(`${part}_thin`)).toEqual([`user.added ${MIXED / 2}`]);
  });
});
