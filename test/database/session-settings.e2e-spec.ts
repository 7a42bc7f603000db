import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkSettings } from '../../src/config/config.js';
import { Database } from '../../src/database/database.js';
import { DatabaseRefusal } from '../../src/database/database-refusal.js';
import { connectionUrl, startEmbedded } from '../../src/database/embedded/embedded-postgres.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { openClient } from '../../src/database/pinned-client.js';
import { connectionOf } from '../../src/database/pools.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { keks, only } from '../support/keks.js';
import { commandLine } from '../support/keks-here.js';
import { startProcess } from '../support/process.js';
import {
  environment,
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type TestApp,
} from '../support/test-app.js';

/** As somebody might have set it for another program, and what it has to be here. */
const HOSTILE: readonly [name: string, hostile: string, pinned: string][] = [
  ['default_transaction_isolation', 'repeatable read', 'read committed'],
  ['default_transaction_read_only', 'on', 'off'],
  ['default_transaction_deferrable', 'on', 'off'],
  ['synchronous_commit', 'off', 'on'],
  ['session_replication_role', 'replica', 'origin'],
  ['search_path', 'nowhere', '"public", pg_temp'],
  ['DateStyle', 'SQL, DMY', 'ISO, MDY'],
  ['IntervalStyle', 'iso_8601', 'postgres'],
  ['TimeZone', 'Pacific/Auckland', 'UTC'],
  ['bytea_output', 'escape', 'hex'],
  ['extra_float_digits', '-15', '1'],
  ['standard_conforming_strings', 'off', 'on'],
  ['transform_null_equals', 'on', 'off'],
  ['statement_timeout', '1', '0'],
  ['lock_timeout', '1', '0'],
  ['idle_in_transaction_session_timeout', '1', '0'],
];
/** A server gives up sooner than its callers. */
/** With the DATABASE_TIMEOUT of tests. */
const POOLS: Record<string, string> = {
  statement_timeout: '20s',
  idle_in_transaction_session_timeout: '20s',
};

const SHOW = {
  name: 'show_settings',
  text: `SELECT ${HOSTILE.map(([name]) => `current_setting('${name}') AS "${name}"`).join(', ')}, pg_sleep(0.05)::text AS slept`,
};

async function nameOf({ client }: TestDatabase): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  return rows[0]?.name ?? '';
}

async function setAll(database: TestDatabase, of: string): Promise<void> {
  for (const [name, hostile] of HOSTILE) {
    const value = name === 'DateStyle' || name === 'search_path' ? hostile : `'${hostile}'`;
    await database.client.query(`ALTER ${of} SET ${name} = ${value}`);
  }
}

const pinned = (times: Record<string, string> = {}) =>
  Object.fromEntries(HOSTILE.map(([name, , value]) => [name, times[name] ?? value]));

async function worksAsEver(app: TestApp): Promise<void> {
  const user = `Ann-${randomBytes(3).toString('hex')}`;
  await app.addUser(user);
  const token = await app.login(user, 'cookies:eat offline_access');
  expect((await get(app.url, '/cookies', token)).status).toBe(200);
  expect((await post(app.url, '/revoke', { token })).status).toBe(200);
  expect((await get(app.url, '/cookies', token)).status).toBe(401);
}

describe('settings of the session', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  async function database(options?: { empty: boolean }): Promise<TestDatabase> {
    const made = await createDatabase(options);
    closing.push(() => made.close());
    return made;
  }

  async function start(on: TestDatabase, extra: Record<string, string> = {}): Promise<TestApp> {
    const app = await startTestApp(extra, { ...on, close: async () => undefined });
    closing.push(() => app.close());
    return app;
  }

  async function role(on: TestDatabase): Promise<{ name: string; url: string }> {
    const name = `keks_${randomBytes(4).toString('hex')}`;
    await on.client.query(`CREATE ROLE ${name} LOGIN NOSUPERUSER; GRANT ALL ON SCHEMA public TO ${name}`);
    const url = new URL(on.url);
    url.searchParams.set('user', name);
    return { name, url: url.href };
  }

  it.each([
    ['the database', async (one: TestDatabase) => setAll(one, `DATABASE ${await nameOf(one)}`)],
    [
      'the role in the database',
      async (one: TestDatabase) => setAll(one, `ROLE keks IN DATABASE ${await nameOf(one)}`),
    ],
  ])('of %s count for nothing, on any connection', async (_, spoil) => {
    const one = await database({ empty: true });
    await spoil(one);
    const app = await start(one);
    const sessions = app.app.get(Database);
    const shown = await Promise.all(Array.from({ length: 10 }, () => sessions.run(SHOW)));
    for (const [row] of shown) expect(row).toMatchObject(pinned(POOLS));
    const hot = await Promise.all(Array.from({ length: 4 }, () => sessions.runHot(SHOW)));
    for (const [row] of hot) expect(row?.slice(0, -1)).toEqual(Object.values(pinned(POOLS)));
    const alone = await openClient(connectionOf(one.url));
    expect((await alone.query(SHOW.text)).rows).toMatchObject([pinned()]);
    await alone.end();
    await worksAsEver(app);
  });

  it('what DATABASE_URL says in options comes before them', async () => {
    const one = await database();
    const url = new URL(one.url);
    url.searchParams.set(
      'options',
      '-c default_transaction_read_only=on -c work_mem=5MB -c TimeZone=Asia/Tokyo',
    );
    const client = await openClient(connectionOf(url.href));
    const { rows } = await client.query(
      `SELECT current_setting('work_mem') AS mem, current_setting('TimeZone') AS zone, current_setting('default_transaction_read_only') AS ro`,
    );
    await client.end();
    expect(rows).toEqual([{ mem: '5MB', zone: 'UTC', ro: 'off' }]);
  });

  it.each([
    ['local', 'on'],
    ['remote_write', 'on'],
    ['on', 'on'],
    ['remote_apply', 'remote_apply'],
  ])('synchronous_commit=%s of the database is %s', async (set, inForce) => {
    const one = await database();
    await one.client.query(`ALTER DATABASE ${await nameOf(one)} SET synchronous_commit = ${set}`);
    const client = await openClient(connectionOf(one.url));
    expect((await client.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: inForce }]);
    await client.end();
  });

  it('one that the role may not change is refused at the start by name, and later 503', async () => {
    const one = await database();
    const { name, url } = await role(one);
    await one.client.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${name};
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO ${name}`);
    const app = await start({ ...one, url });
    await app.addUser('Ann');
    const token = await app.login('Ann');
    await one.client.query(`ALTER ROLE ${name} SET session_replication_role = 'replica'`);
    const refusal: unknown = await migrate(connectionOf(url)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DatabaseRefusal);
    expect(String(refusal)).toMatch(/session_replication_role to "replica".*RESET session_replication_role/);
    await one.client.query(
      'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1',
      [name],
    );
    expect((await post(app.url, '/validate', { token })).status).toBe(503);
    await one.client.query(`ALTER ROLE ${name} RESET session_replication_role`);
    expect((await post(app.url, '/validate', { token })).status).toBe(200);
  });

  it('a disable sees what was issued while it waited, though the database says repeatable read', async () => {
    const one = await database();
    await one.client.query(
      `ALTER DATABASE ${await nameOf(one)} SET default_transaction_isolation = 'repeatable read'`,
    );
    const app = await start(one);
    await app.addUser('Ann');
    await app.addUser('Root', 'keks:admin');
    const headers = {
      authorization: `Bearer ${await app.login('Root')}`,
      'content-type': 'application/json',
    };
    const { rows } = await one.client.query<{ id: string }>(`SELECT id FROM users WHERE name = 'Ann'`);
    const id = rows[0]?.id ?? '';
    await one.client.query('BEGIN');
    await one.client.query('SELECT FROM users WHERE id = $1 FOR SHARE', [id]);
    const disabling = request(app.url, `/admin/users/${id}`, {
      ...{ method: 'PATCH', headers, body: JSON.stringify({ disabled: true }) },
    });
    const admin = new Client(connectionOf(one.url));
    await admin.connect();
    await vi.waitFor(async () => {
      const waiting = await admin.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(waiting.rowCount).toBe(1);
    });
    await admin.end();
    // an API key, as POST /keys makes it under this lock
    await one.client.query(
      `INSERT INTO grants (kind, user_id, scope, expires_at) VALUES ('api_key', $1, '', now() + interval '1 day')`,
      [id],
    );
    await one.client.query('COMMIT');
    expect((await disabling).status).toBe(200);
    const left = await one.client.query('SELECT FROM grants WHERE user_id = $1 AND revoked_at IS NULL', [id]);
    expect(left.rowCount).toBe(0);
  });

  it('a revoke that was answered outlives PostgreSQL, though a reload has set synchronous_commit=off', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'keks-durable-'));
    const settings = { wal_writer_delay: '10s' };
    try {
      const first = await startEmbedded({ dataDir, settings });
      const url = connectionUrl(first.address);
      const own = new Client(connectionOf(url));
      own.on('error', () => undefined);
      await own.connect();
      const one = { url, client: own, close: async () => undefined };
      const app = await startTestApp({}, one);
      await app.addUser('Ann');
      const tokens = await Promise.all(Array.from({ length: 3 }, () => app.login('Ann')));
      await own.query('ALTER SYSTEM SET synchronous_commit = off');
      await own.query('SELECT pg_reload_conf()');
      await vi.waitFor(async () =>
        expect((await own.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }]),
      );
      for (const token of tokens) expect((await post(app.url, '/revoke', { token })).status).toBe(200);
      const [pid] = (await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGQUIT');
      await first.exited;
      await first.stop();
      await app.close();
      const second = await startEmbedded({ dataDir, settings });
      const again = await startTestApp({}, { ...one, url: connectionUrl(second.address) });
      for (const token of tokens) expect((await post(again.url, '/validate', { token })).status).toBe(401);
      await again.close();
      await second.stop();
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it('"keks doctor" shows each, and what the database had said', async () => {
    const one = await database();
    await one.client.query(`ALTER DATABASE ${await nameOf(one)} SET synchronous_commit = off`);
    const { stdout } = await commandLine(() => environment(one.url)).run('doctor', '--json');
    const findings = only(stdout) as { checks: { check: string; message: string; status: string }[] };
    const messages = new Map(findings.checks.map(({ check, message }) => [check, message]));
    for (const [name, , value] of HOSTILE)
      expect(messages.get(name)).toBe(
        name === 'synchronous_commit' ? 'on, although the database says off' : value,
      );
  }, 60_000);

  describe('DATABASE_SCHEMA', () => {
    it('is where everything is', async () => {
      const one = await database({ empty: true });
      await one.client.query('CREATE SCHEMA "my tokens"');
      const app = await start(one, { DATABASE_SCHEMA: 'my tokens' });
      await worksAsEver(app);
      const { rows } = await one.client.query(
        `SELECT DISTINCT relnamespace::regnamespace::text AS schema FROM pg_class WHERE relname ~ '^(access_tokens|users|migrations)'`,
      );
      expect(rows).toEqual([{ schema: '"my tokens"' }]);
      const cli = commandLine(() => environment(one.url, { DATABASE_SCHEMA: 'my tokens' }));
      await cli.json('purge');
      expect(await cli.json('user', 'list')).toHaveLength(1);
    });

    it('must be there', async () => {
      const one = await database({ empty: true });
      await expect(migrate(connectionOf(one.url, 'nowhere'))).rejects.toThrow(
        /no schema "nowhere".*CREATE SCHEMA.*DATABASE_SCHEMA/,
      );
    });

    it('is asked for where a search_path used to lead to the tables: there is no second set of them', async () => {
      const one = await database({ empty: true });
      const { name, url } = await role(one);
      await one.client.query(`CREATE SCHEMA ${name} AUTHORIZATION ${name}`);
      await migrate(connectionOf(url, name));
      const refusal: unknown = await migrate(connectionOf(url)).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(DatabaseRefusal);
      expect(String(refusal)).toContain(`set DATABASE_SCHEMA=${name}.`);
      const { rows } = await one.client.query(`SELECT to_regclass('public.users') AS second`);
      expect(rows).toEqual([{ second: null }]);
      expect(await migrate(connectionOf(url, name))).toEqual([]);
      // somebody who says so may have two
      expect((await migrate(connectionOf(url, 'public'))).length).toBeGreaterThan(0);
    });
  });
});

it('connections are made in one place, which pins them', () => {
  const made = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => /new (?:pg\.)?Client\(/.test(readFileSync(join('src', name), 'utf8')));
  expect(made).toEqual([]);
});

describe('PG* variables of the environment', () => {
  const VARIABLES = {
    PGOPTIONS: '-c default_transaction_read_only=on -c search_path=nowhere -c synchronous_commit=off',
    PGHOST: 'nowhere.invalid',
    PGPORT: '1',
    PGUSER: 'nobody',
    PGDATABASE: 'nothing',
    PGTZ: 'Asia/Tokyo',
    PGDATESTYLE: 'SQL, DMY',
    PGCLIENT_ENCODING: 'LATIN1',
    PGAPPNAME: 'somebody else',
    PGREPLICATION: 'database',
    PGSSLNEGOTIATION: 'direct',
    PGSSLMODE: 'require',
  };
  let one: TestDatabase;

  beforeAll(async () => {
    one = await createDatabase();
  }, 180_000);
  afterAll(() => one.close());

  it('names itself in pg_stat_activity, unless DATABASE_URL has a name for it', async () => {
    for (const [said, name] of [
      ['', 'keks'],
      ['auth-1', 'auth-1'],
    ] as const) {
      const url = new URL(one.url);
      url.searchParams.set('application_name', said);
      const app = await startTestApp({}, { ...one, url: url.href, close: () => Promise.resolve() });
      await worksAsEver(app);
      const { rows } = await one.client.query(
        `SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      expect(rows).toEqual([{ application_name: name }]);
      await app.close();
    }
  });

  it('reach neither a server nor the command line', async () => {
    const { PGSSLMODE: _, ...variables } = VARIABLES;
    const settings = { ...environment(one.url), ...variables };
    const added = await keks(settings, ['user', 'add', 'Ann', '--password-stdin', '--json'], {
      input: PASSWORD,
    });
    expect(added.stderr).toBe('');
    const server = await startProcess(settings);
    try {
      expect((await post(server.url, '/issue', { user: 'Ann', password: PASSWORD })).status).toBe(200);
      const { rows } = await one.client.query(
        `SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      expect(rows).toEqual([{ application_name: 'keks' }]);
    } finally {
      await server.stop();
    }
  });

  it('reach no embedded database', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'keks-pgenv-'));
    const { DATABASE_URL: _, ISSUER: __, SECRET_KEY: ___, ...settings } = environment(one.url);
    const users = await keks({ ...settings, DATA_DIR: dataDir, ...VARIABLES }, ['user', 'list', '--json']);
    await rm(dataDir, { recursive: true, force: true });
    expect(users).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });

  it.each([
    ['PGSSLMODE=require', { PGSSLMODE: 'require' }, '', /PGSSLMODE is not read: put sslmode/],
    ['PGSSLMODE=require, and sslmode in the URL', { PGSSLMODE: 'require' }, '?sslmode=disable', undefined],
    ['PGSSLMODE=disable', { PGSSLMODE: 'disable' }, '', undefined],
    ['PGPASSWORD', { PGPASSWORD: 'secret' }, '', /PGPASSWORD is not read: put the password/],
    ['PGPASSWORD, and one in the URL', { PGPASSWORD: 'secret' }, '?password=other', undefined],
  ])('%s: nobody goes on without what it was for', (_, variables, parameters, problem) => {
    const url = `postgresql://keks@127.0.0.1/keks${parameters}`;
    const { problems } = checkSettings({ ...environment(url), ...variables });
    if (problem) expect(problems.join()).toMatch(problem);
    else expect(problems).toEqual([]);
    expect(problems.join()).not.toContain('secret');
  });
});
