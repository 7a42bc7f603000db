import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionOf } from '../../src/database/pools.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { migrations } from '../../migrations/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { keksHere } from '../support/keks-here.js';
import { migrateWith } from '../support/migrate-with.js';
import {
  environment,
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type TestApp,
} from '../support/test-app.js';

const AUDIT = 'audit_events';
/** What could change a line that is there, or take it away. */
const CHANGES = ['UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];

/** The grants, as the operator finds them. */
const GRANTS = /```sql\n(GRANT[^`]+)```/.exec(readFileSync('docs/operating.md', 'utf8'))?.[1] ?? '';

/** Without the tables that came later. */
const EARLY_GRANTS = GRANTS.replace(
  /, (?:revocations|authorization_codes, scope_descriptions, device_codes, pushed_requests, client_registrations, initial_access_tokens, client_documents, client_assertions, token_exchanges)\b/g,
  '',
).replace(/^GRANT .* (?:ON guard_leases|FUNCTION keks_thin_audit\b).*$/gm, '');

describe('a server whose role owns nothing (docs/operating.md)', () => {
  const role = `keks_server_${randomBytes(4).toString('hex')}`;
  let database: TestDatabase;
  let keks: TestApp;
  let url: string;
  /** A session of the role, as somebody has it who has taken the server over. */
  let taken: Client;

  beforeAll(async () => {
    database = await createDatabase();
    await database.client.query(`CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE`);
    await database.client.query(GRANTS.replaceAll('keks_server', role));
    url = asRole(database, role);
    keks = await startTestApp({}, { ...database, url });
    await keks.addUser('Ann');
    taken = new Client(connectionOf(url));
    await taken.connect();
  });

  afterAll(async () => {
    await taken.end();
    await keks.close();
  });

  it('really has no more rights than that', async () => {
    const { rows } = await database.client.query<{ rolsuper: boolean; owns: number }>(
      `SELECT rolsuper, (SELECT count(*)::int FROM pg_class WHERE relowner = r.oid) AS owns FROM pg_roles r WHERE rolname = $1`,
      [role],
    );
    expect(rows).toEqual([{ rolsuper: false, owns: 0 }]);
    const { rows: sessions } = await database.client.query<{ usename: string }>(
      `SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect(sessions).toEqual([{ usename: role }]);
  });

  it('tells the whole story', async () => {
    const token = await keks.login('Ann', 'cookies:eat offline_access');
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
    expect((await get(keks.url, '/cookies', token)).status).toBe(401);
  });

  it('issues JWTs, makes keys and refreshes', async () => {
    const issued = await post(keks.url, '/issue', {
      user: 'Ann',
      password: 'seven brown biscuits under a blue moon',
      format: 'jwt',
      scope: 'offline_access',
    });
    expect(issued.status).toBe(200);
    const { token, refresh_token: refresh } = issued.body as { token: string; refresh_token: string };
    const key = await post(
      keks.url,
      '/keys',
      { label: 'mine', password: PASSWORD },
      { authorization: `Bearer ${token}` },
    );
    expect(key.status).toBe(201);
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refresh });
    expect((await request(keks.url, '/oauth/token', { method: 'POST', body: form })).status).toBe(200);
  });

  it('makes partitions and drops them', async () => {
    const maintenance = keks.app.get(Maintenance);
    keks.clock.advance(20 * 86_400);
    await maintenance.ensurePartitions();
    const { partitions } = await maintenance.purge();
    expect(partitions.length).toBeGreaterThanOrEqual(3);
    keks.clock.advance(-20 * 86_400);
    await maintenance.ensurePartitions();
  });

  it('adds to the audit log and reads it, and can change nothing of it, nor in any partition', async () => {
    await keks.login('Ann');
    const before = await log(database.client);
    expect(before.length).toBeGreaterThan(0);
    expect((await taken.query(`SELECT FROM ${AUDIT}`)).rowCount).toBe(before.length);
    const tables = await partsOf(database.client);
    expect(tables.length).toBeGreaterThan(2);
    for (const table of tables)
      for (const attempt of [
        `UPDATE ${table} SET actor = 'user:Bob'`,
        `UPDATE ${table} SET detail = DEFAULT WHERE false`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table}`,
        `DROP TABLE ${table}`,
        `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
        `CREATE RULE away AS ON INSERT TO ${table} DO INSTEAD NOTHING`,
        `INSERT INTO ${AUDIT} SELECT * FROM ${AUDIT} LIMIT 1 ON CONFLICT (created_at, id) DO UPDATE SET actor = 'x'`,
      ])
        await expect(taken.query(attempt), attempt).rejects.toThrow(/permission denied|must be owner/);
    for (const table of tables.filter((one) => one !== AUDIT))
      await expect(taken.query(`ALTER TABLE ${AUDIT} DETACH PARTITION ${table}`)).rejects.toThrow(
        'must be owner',
      );
    expect(await log(database.client)).toEqual(before);
  });

  it('has no partition of the audit log dropped that the retention still wants', async () => {
    const { client } = database;
    const month = (back: number) =>
      `date_trunc('month', now() AT TIME ZONE 'UTC' - interval '${back} months') AT TIME ZONE 'UTC'`;
    const made = async (back: number) => {
      await taken.query(`SELECT keks_make_partition('${AUDIT}', ${month(back)}, ${month(back - 1)})`);
      await taken.query(`INSERT INTO ${AUDIT} (type, created_at) VALUES ('old', ${month(back)})`);
      const { rows } = await client.query<{ name: string }>(
        `SELECT '${AUDIT}_' || to_char(${month(back)} AT TIME ZONE 'UTC', 'YYYYMMDD') AS name`,
      );
      return rows[0]?.name ?? '';
    };
    // its last day is 13 months before the first of this one, and one month later
    const [over, wanted] = [await made(14), await made(13)];
    const kept = (await partsOf(client)).filter((name) => name !== over);
    expect(kept).toContain(wanted);
    const lines = (await log(client)).length;
    for (const name of kept)
      for (const upto of [`now() + interval '100 years'`, `'infinity'`])
        expect(
          (await taken.query(`SELECT keks_drop_partition($1, ${upto}) AS dropped`, [name])).rows,
        ).toEqual([{ dropped: false }]);
    expect(await log(client)).toHaveLength(lines);
    const { partitions } = await keks.app.get(Maintenance).purge();
    expect(partitions).toEqual([over]);
    expect(await partsOf(client)).toEqual(kept);
  });

  it('keeps what the owner has said: less only when he says so, more by itself', async () => {
    const { client } = database;
    const purgeOf = async (as: string, months: number): Promise<string[]> => {
      const { config, clock } = keks;
      const maintenance = new Maintenance({ ...config, AUDIT_RETENTION: months }, clock);
      maintenance.use(connectionOf(as));
      return (await maintenance.run()).partitions.filter((name) => name.startsWith(AUDIT));
    };
    const monthsBack = async (back: number): Promise<string> => {
      const first = `(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '${back} months') AT TIME ZONE 'UTC'`;
      await client.query(
        `SELECT keks_make_partition('${AUDIT}', ${first}, ${first.replace(`${back} months`, `${back - 1} months`)})`,
      );
      const { rows } = await client.query<{ name: string }>(
        `SELECT '${AUDIT}_' || to_char(${first} AT TIME ZONE 'UTC', 'YYYYMMDD') AS name`,
      );
      return rows[0]?.name ?? '';
    };
    const [old, older] = [await monthsBack(5), await monthsBack(6)];
    expect(await purgeOf(url, 4)).toEqual([]);
    const dropped = await purgeOf(database.url, 5);
    expect(dropped).toContain(older);
    expect(dropped).not.toContain(old);
    expect(await purgeOf(url, 13)).toEqual([]);
    expect(await purgeOf(database.url, 4)).toEqual([old]);
    const older14 = await monthsBack(14);
    expect(await purgeOf(database.url, 14)).toEqual([]);
    expect(await purgeOf(url, 13)).toEqual([]);
    expect(await purgeOf(database.url, 13)).toContain(older14);
  });

  it('lets types of which there are many go early: as the owner has said, once a month that is over, and nothing else', async () => {
    const { client } = database;
    const purge = async (as: string, byType: string): Promise<void> => {
      const { config, clock } = keks;
      const maintenance = new Maintenance({ ...config, AUDIT_RETENTION_BY_TYPE: byType }, clock);
      maintenance.use(connectionOf(as));
      await maintenance.run();
    };
    const first = (back: number) =>
      `(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '${back} months') AT TIME ZONE 'UTC'`;
    for (const back of [3, 2]) {
      await client.query(`SELECT keks_make_partition('${AUDIT}', ${first(back)}, ${first(back - 1)})`);
      await client.query(
        `INSERT INTO ${AUDIT} (created_at, type, actor)
         SELECT ${first(back)} + n * interval '1 s', type, 'thin ' || ${back}
           FROM unnest(ARRAY['token.issued', 'token.refreshed', 'user.added']) AS type, generate_series(1, 50) AS n`,
      );
    }
    const counted = async (): Promise<unknown[]> => {
      const { rows } = await client.query<{ is: string }>(
        `SELECT actor || ' ' || type || ' ' || count(*) AS is FROM ${AUDIT} WHERE actor LIKE 'thin%' GROUP BY actor, type ORDER BY 1`,
      );
      return rows.map(({ is }) => is);
    };
    const all = [2, 3].flatMap((back) =>
      ['token.issued', 'token.refreshed', 'user.added'].map((type) => `thin ${back} ${type} 50`),
    );
    const before = await partsOf(client);
    await purge(url, 'token.issued=1');
    for (const part of before)
      for (const swap of [false, true])
        expect((await taken.query('SELECT keks_thin_audit($1, $2) AS is', [part, swap])).rows).toEqual([
          { is: false },
        ]);
    expect(await counted()).toEqual(all);
    await purge(database.url, 'token.issued=2');
    expect(await counted()).toEqual(all.filter((line) => line !== 'thin 3 token.issued 50'));
    const identities = async () =>
      (await client.query(`SELECT array_agg(inhrelid ORDER BY 1) FROM pg_inherits`)).rows;
    const identity = await identities();
    await purge(database.url, 'token.issued=2');
    expect(await identities()).toEqual(identity);
    await purge(database.url, 'token.issued=2,token.refreshed=1');
    const left = all.filter((line) => !/3 token|2 token.refreshed/.test(line));
    expect(await counted()).toEqual(left);
    expect(await partsOf(client)).toEqual(before);
    await client.query(
      `INSERT INTO ${AUDIT} (created_at, type, actor) VALUES (${first(3)}, 'late', 'thin 3')`,
    );
    expect(await counted()).toEqual([...left.slice(0, 2), 'thin 3 late 1', ...left.slice(2)]);
    // nothing more is let go, and no copy is left behind
    await purge(database.url, '');
    const { rows } = await client.query(
      `SELECT relname FROM pg_class WHERE relname LIKE '%thin' AND relkind = 'r'`,
    );
    expect(rows).toEqual([]);
  });

  it('passes keks doctor', async () => {
    const settings = environment(url);
    const { stdout, stderr } = await keksHere(settings, ['doctor', '--json']);
    expect(stderr).toBe('');
    const { checks } = JSON.parse(stdout) as { checks: { check: string; status: string }[] };
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    for (const table of ['access_tokens', 'refresh_tokens', AUDIT])
      expect(checks.map(({ check }) => check)).toContain(table);
  });
});

describe('a server whose role was given more, as the documentation once said', () => {
  it('loses what would change the audit log when the schema is migrated, and nothing else', async () => {
    const role = `keks_server_${randomBytes(4).toString('hex')}`;
    const database = await createDatabase({ empty: true });
    const { client } = database;
    const before = migrations.filter((one) => Number(new one().name.slice(-13)) < 1_796_100_000_000);
    await migrateWith(database, before);
    await client.query(`CREATE ROLE ${role} LOGIN NOSUPERUSER`);
    await client.query(EARLY_GRANTS.replaceAll('keks_server', role));
    await client.query(`SELECT keks_make_partition('${AUDIT}', '2030-01-01Z', '2030-02-01Z')`);
    await client.query(`GRANT ALL ON ${AUDIT}, ${AUDIT}_20300101, ${AUDIT}_default TO ${role}`);
    expect(await migrateWith(database, migrations)).toContain('AuditAppendOnly1796100000000');
    for (const table of await partsOf(client))
      for (const right of CHANGES)
        expect([table, right, await may(client, role, table, right)]).toEqual([table, right, false]);
    for (const [table, right] of [
      [AUDIT, 'INSERT'],
      [AUDIT, 'SELECT'],
      [`${AUDIT}_default`, 'SELECT'],
      ['grants', 'DELETE'],
    ] as const)
      expect([table, right, await may(client, role, table, right)]).toEqual([table, right, true]);
    await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await database.close();
  });
});

function asRole({ url }: TestDatabase, role: string): string {
  const own = new URL(url);
  own.searchParams.set('user', role);
  return own.href;
}

/** The audit log and its partitions. */
async function partsOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relid::text AS name FROM pg_partition_tree('${AUDIT}') ORDER BY level, 1`,
  );
  return rows.map(({ name }) => name);
}

async function log(client: Client): Promise<unknown[]> {
  const { rows } = await client.query(`SELECT * FROM ${AUDIT} ORDER BY created_at, id`);
  return rows;
}

async function may(client: Client, role: string, table: string, right: string): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(`SELECT has_table_privilege($1, $2, $3) AS may`, [
    role,
    table,
    right,
  ]);
  return rows[0]?.may === true;
}
