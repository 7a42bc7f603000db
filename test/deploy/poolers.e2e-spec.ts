import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { inject } from 'vitest';
import { checkAll } from '../../src/cli/verbs/doctor/all-checks.js';
import { Database } from '../../src/database/database.js';
import { openClient } from '../../src/database/pinned-client.js';
import { connectionOf } from '../../src/database/pools.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { AS_SHIPPED, get, post, startTestApp, type TestApp } from '../support/test-app.js';
import { KEEPS_STATEMENTS, PGBOUNCER, startPgBouncer, type PgBouncer } from './support/pgbouncer.js';

const IGNORING = {
  ignore_startup_parameters:
    'options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout,extra_float_digits',
};
const NAMES = KEEPS_STATEMENTS ? { max_prepared_statements: 100 } : {};

/** As people configure it. Whether names last, and whether a session does. */
const MANNERS = [
  ['session mode, as it is installed', { pool_mode: 'session' }, { names: true }],
  [
    'session mode that swallows what is said at the start',
    { pool_mode: 'session', ...IGNORING },
    { names: true },
  ],
  ['transaction mode', { pool_mode: 'transaction', ...NAMES }, { names: KEEPS_STATEMENTS }],
  [
    'transaction mode that swallows what is said at the start',
    { pool_mode: 'transaction', ...NAMES, ...IGNORING },
    { names: KEEPS_STATEMENTS },
  ],
  [
    'transaction mode without prepared statements, sessions in turn',
    {
      pool_mode: 'transaction',
      server_round_robin: 1,
      ...(KEEPS_STATEMENTS ? { max_prepared_statements: 0 } : {}),
    },
    { names: false },
  ],
] as const;

/** What a stranger on the same sessions may have set, and what it must not change. */
const POISON = `
  SET statement_timeout = '60s'; SET search_path = pg_catalog; SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Tokyo';
  SET synchronous_commit = off; SET default_transaction_isolation = 'serializable'; SET default_transaction_read_only = on;
  SET extra_float_digits = -15; SET bytea_output = escape; SET enable_indexscan = on; SET enable_seqscan = on`;

const SHOWN = {
  name: 'show_what_counts',
  text: `SELECT current_setting('statement_timeout') AS timeout, current_setting('search_path') AS path,
                current_setting('DateStyle') AS dates, current_setting('synchronous_commit') AS durable,
                current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS read_only`,
};

describe.skipIf(!PGBOUNCER)('behind PgBouncer', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  async function pooler(settings: Readonly<Record<string, string | number>>): Promise<PgBouncer> {
    const made = await startPgBouncer(inject('postgres'), settings);
    closing.push(() => made.stop());
    return made;
  }

  async function behind(
    settings: Readonly<Record<string, string | number>>,
    extra: Record<string, string> = {},
  ): Promise<{ app: TestApp; database: TestDatabase; pgBouncer: PgBouncer }> {
    const database = await createDatabase();
    closing.push(() => database.close());
    const pgBouncer = await pooler(settings);
    const url = pgBouncer.through(database.url);
    const app = await startTestApp(extra, { ...database, url, close: async () => undefined });
    closing.push(() => app.close());
    return { app, database, pgBouncer };
  }

  async function story({ url, addUser, login }: TestApp, name: string): Promise<void> {
    await addUser(name);
    const tokens = await Promise.all(Array.from({ length: 12 }, () => login(name)));
    const eat = (): Promise<number[]> =>
      Promise.all(tokens.map(async (token) => (await get(url, '/cookies', token)).status));
    expect(await eat()).toEqual(tokens.map(() => 200));
    const revoked = await Promise.all(
      tokens.map(async (token) => (await post(url, '/revoke', { token })).status),
    );
    expect(revoked).toEqual(tokens.map(() => 200));
    expect(await eat()).toEqual(tokens.map(() => 401));
    expect((await get(url, '/health/ready')).status).toBe(200);
  }

  describe.each(MANNERS)('in %s', (_, settings, { names }) => {
    it('the story is told as ever, and the log says what is in between', async () => {
      const { app } = await behind(settings);
      await story(app, 'Ann');
      const said = app.log.filter((line) => line.includes('is in between'));
      expect(said).toHaveLength(1);
      expect(said[0]?.includes('keeps no prepared statements')).toBe(!names);
    });

    it('what others have set in the sessions does not count', async () => {
      // few, so that strangers' are used again; a session keeps its own as long as it lasts
      const size = settings.pool_mode === 'transaction' ? 2 : 20;
      const { app, database, pgBouncer } = await behind({ ...settings, default_pool_size: size });
      if (settings.pool_mode === 'transaction')
        for (let at = 0; at < 6; at += 1) {
          const stranger = new Client(pgBouncer.through(database.url));
          await stranger.connect();
          await stranger.query(POISON);
          await stranger.end();
        }
      const shown = await Promise.all(
        Array.from({ length: 6 }, () =>
          app.app
            .get(Database)
            .run(SHOWN)
            .catch((error: unknown) => error),
        ),
      );
      for (const rows of shown.filter((one) => Array.isArray(one)))
        expect(rows).toEqual([
          {
            timeout: '20s',
            path: '"public", pg_temp',
            dates: 'ISO, MDY',
            durable: 'on',
            isolation: 'read committed',
            read_only: 'off',
          },
        ]);
      const [hot] = await app.app.get(Database).runHot(SHOWN);
      expect(hot?.slice(0, 4)).toEqual(['20s', '"public", pg_temp', 'ISO, MDY', 'on']);
    });

    it('a revoke that is answered with 503 has not been done', async () => {
      const { app, database } = await behind(settings, AS_SHIPPED);
      await app.addUser('Ann');
      const tokens = await Promise.all(Array.from({ length: 8 }, () => app.login('Ann')));
      await database.client.query('BEGIN; LOCK TABLE access_tokens IN SHARE MODE');
      const answers = await Promise.all(tokens.map((token) => post(app.url, '/revoke', { token })));
      expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 503));
      await database.client.query('COMMIT');
      // whatever PostgreSQL still waited with would be done by now: it has one way to be asked, and that is free
      await database.client.query('BEGIN; LOCK TABLE access_tokens; COMMIT');
      const { rows } = await database.client.query('SELECT FROM access_tokens WHERE revoked_at IS NOT NULL');
      expect(rows).toHaveLength(0);
      await expect.poll(async () => (await post(app.url, '/revoke', { token: tokens[0] })).status).toBe(200);
    });

    it('the schema is migrated, by several at once, and no lock stays', async () => {
      const database = await createDatabase({ empty: true });
      closing.push(() => database.close());
      const pgBouncer = await pooler(settings);
      const through = (): ReturnType<typeof connectionOf> => connectionOf(pgBouncer.through(database.url));
      const done = await Promise.all([migrate(through()), migrate(through()), migrate(through())]);
      expect(done.filter((names) => names.length > 0)).toHaveLength(1);
      const { rows } = await database.client.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      expect(rows).toHaveLength(0);
      expect(await migrate(through())).toEqual([]);
    });

    it('keks doctor says what it is, and what it lacks', async () => {
      const database = await createDatabase();
      closing.push(() => database.close());
      const pgBouncer = await pooler(settings);
      const connection = connectionOf(pgBouncer.through(database.url));
      const client = await openClient(connection);
      closing.push(() => client.end());
      const facts = {
        ACCESS_TOKEN_TTL: 900,
        REFRESH_TOKEN_TTL: 900,
        AUDIT_RETENTION: 13,
        WORKERS: 1,
        DATABASE_URL: database.url,
      };
      const found = await checkAll(client, facts, undefined, connection);
      expect(found.find(({ check }) => check === 'pooler')).toMatchObject({ status: names ? 'ok' : 'warn' });
      expect(found.filter(({ status }) => status === 'fail')).toEqual([]);
    });
  });

  it('in statement mode the start is refused, with the mend', async () => {
    const database = await createDatabase();
    closing.push(() => database.close());
    const pgBouncer = await pooler({ pool_mode: 'statement' });
    await expect(migrate(connectionOf(pgBouncer.through(database.url)))).rejects.toThrow(/set pool_mode/);
  });
});
