import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { entities } from '../../src/auth/entities.js';
import { loadConfig } from '../../src/config/config.js';
import { createDataSource } from '../../src/database/schema/data-source.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { DatabaseRefusal } from '../../src/database/database-refusal.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { connectionOf, hotPool } from '../../src/database/pools.js';
import { catalogOf } from '../support/catalog.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { migrateWith } from '../support/migrate-with.js';
import { ManualClock } from '../support/manual-clock.js';
import { startStandby, type Standby } from '../support/standby.js';
import { environment } from '../support/test-app.js';

const DAY = 86_400;
/** More than a month and the time that a refresh token has; the long form is `MAINTAINED_DAYS=100`. */
const DAYS = Number(process.env.MAINTAINED_DAYS ?? 40);
const NAMES = migrations.map((migration) => new migration().name);

const opened: TestDatabase[] = [];
const sources: DataSource[] = [];

async function database(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const made = await createDatabase(options);
  opened.push(made);
  return made;
}

/** As the program makes it, entities and all. */
async function sourceOn({ url }: TestDatabase): Promise<DataSource> {
  const source = await createDataSource({ ...connectionOf(url) }, entities).initialize();
  sources.push(source);
  return source;
}

afterAll(async () => {
  for (const source of sources) await source.destroy();
  for (const one of opened) await one.close();
});

describe('migrate', () => {
  it('brings an empty database up, says what it did, and then has nothing to do', async () => {
    const { url, client } = await database({ empty: true });
    expect(await catalogOf(client)).toEqual([]);
    expect(await migrate(connectionOf(url))).toEqual(NAMES);
    const first = await catalogOf(client);
    expect(first).toContain('relation p access_tokens');
    expect(await migrate(connectionOf(url))).toEqual([]);
    expect(await catalogOf(client)).toEqual(first);
  });

  it('goes down to nothing and up again to the very same schema', async () => {
    const one = await database({ empty: true });
    await migrate(connectionOf(one.url));
    const first = await catalogOf(one.client);
    await one.client.query(
      `SELECT keks_make_partition('access_tokens', '2030-01-01Z'::timestamptz, '2030-01-02Z'::timestamptz)`,
    );
    const source = await sourceOn(one);
    for (const _ of NAMES) await source.undoLastMigration({ transaction: 'each' });
    const left = await catalogOf(one.client);
    expect(left.filter((line) => !/\bmigrations\b|\bmigrations_id_seq\b|PK_\w+/.test(line))).toEqual([]);
    expect(await migrate(connectionOf(one.url))).toEqual(NAMES);
    expect(await catalogOf(one.client)).toEqual(first);
    await one.client.query(
      `SELECT keks_make_partition('access_tokens', '2030-01-02Z'::timestamptz, '2030-01-03Z'::timestamptz)`,
    );
  });

  it('20 at once on an empty database: one migrates, the others wait and find it done', async () => {
    const { url, client } = await database({ empty: true });
    const done = await Promise.all(Array.from({ length: 20 }, () => migrate(connectionOf(url))));
    expect(done.filter((names) => names.length > 0)).toEqual([NAMES]);
    const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY id');
    expect(rows.map(({ name }) => name)).toEqual(NAMES);
  });

  it('leaves nothing half done when a migration fails', async () => {
    const { url, client } = await database({ empty: true });
    await client.query('CREATE TABLE signing_keys (somebody_else text)');
    await expect(migrate(connectionOf(url))).rejects.toThrow('signing_keys');
    const left = (await catalogOf(client)).filter((line) => !/migrations|PK_/.test(line));
    expect(left).toEqual(['column signing_keys.somebody_else text ', 'relation r signing_keys']);
    await client.query('DROP TABLE signing_keys');
    expect(await migrate(connectionOf(url))).toEqual(NAMES);
  });

  it.each([
    ['has taken away what the program needs', 'compatible_from=9999999999999'],
    ['does not say who may run on it', null],
    ['says it in words that the program does not know', 'compatible_from=soon'],
  ])('refuses a schema that is newer and %s, names the mend and changes nothing', async (_, mark) => {
    const { url, client } = await database();
    await client.query(
      `INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'Tomorrow9999999999999')`,
    );
    await client.query(`COMMENT ON TABLE migrations IS ${mark === null ? 'NULL' : `'${mark}'`}`);
    const before = await catalogOf(client);
    const refusal: unknown = await migrate(connectionOf(url)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DatabaseRefusal);
    expect(String(refusal)).toMatch(/Tomorrow9999999999999.*newer Keks/);
    expect(String(refusal)).not.toContain('\n');
    expect(await catalogOf(client)).toEqual(before);
  });

  it('waits for nobody who only reads', async () => {
    const { url, client } = await database();
    await client.query('BEGIN; SELECT * FROM access_tokens');
    expect(await migrate(connectionOf(url))).toEqual([]);
    await client.query('ROLLBACK');
  });

  describe('on a hot standby', () => {
    let standby: Standby;
    beforeAll(async () => {
      standby = await startStandby();
    });
    afterAll(() => standby.stop());

    it('is refused with the mend, and goes on once it has become the primary', async () => {
      const refusal: unknown = await migrate(connectionOf(standby.url)).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(DatabaseRefusal);
      expect(String(refusal)).toMatch(/hot standby.*primary/);
      const pool = hotPool(connectionOf(standby.url), 400);
      await expect(pool.query('SELECT 1')).rejects.toThrow('standby');
      await standby.promote();
      expect(await migrate(connectionOf(standby.url))).toEqual([]);
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      await pool.end();
    });
  });
});

/** Tables with columns of types that TypeORM does not have: `xid8`, `pg_snapshot`. Written and read by hand only. */
const TYPES_UNKNOWN = ['guard_leases', 'revocations'];

describe('the entities and the schema', () => {
  let one: TestDatabase;
  let source: DataSource;

  beforeAll(async () => {
    one = await database();
    source = await sourceOn(one);
  });

  it('do not drift: TypeORM would change nothing', async () => {
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('do not drift either where TypeORM looks away, for want of a primary key', async () => {
    const unseen = source.entityMetadatas.filter(({ synchronize }) => !synchronize);
    expect(unseen.map(({ tableName }) => tableName)).toEqual(['access_tokens']);
    for (const { tableName, columns, indices } of unseen) {
      const { rows } = await one.client.query<Record<'name' | 'type' | 'nullable', string>>(
        `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS nullable FROM pg_attribute
          WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
        [tableName],
      );
      const types: Record<string, string> = { timestamptz: 'timestamp with time zone' };
      const described = columns.map(({ databaseName: name, type, isNullable: nullable }) => ({
        name,
        type: types[String(type)] ?? type,
        nullable,
      }));
      const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
      expect(rows.sort(byName)).toEqual(described.sort(byName));
      const { rows: found } = await one.client.query<{ name: string; method: string }>(
        `SELECT c.relname AS name, a.amname AS method FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
           JOIN pg_am a ON a.oid = c.relam WHERE i.indrelid = $1::regclass`,
        [tableName],
      );
      expect(found).toEqual(indices.map(({ name, type }) => ({ name, method: type })));
    }
  });

  it('never meet by synchronize, which would drop what it does not know', () => {
    expect(source.options.synchronize).toBe(false);
    expect(source.options.dropSchema ?? false).toBe(false);
    expect(source.options.migrationsRun ?? false).toBe(false);
  });

  it('have the same CHECK bodies, which TypeORM does not look at', async () => {
    const compared: string[] = [];
    for (const { tableName, checks } of source.entityMetadatas)
      for (const { name, expression } of checks) {
        await one.client.query('BEGIN');
        await one.client.query(`CREATE TEMP TABLE shape (LIKE ${tableName})`);
        await one.client.query(`ALTER TABLE shape ADD CONSTRAINT body CHECK (${expression})`);
        const { rows } = await one.client.query<{ body: string }>(
          `SELECT pg_get_constraintdef(oid) AS body FROM pg_constraint
            WHERE (conrelid, conname) IN (('shape'::regclass, 'body'), ($1::regclass, $2))`,
          [tableName, name],
        );
        await one.client.query('ROLLBACK');
        expect(rows, name).toHaveLength(2);
        expect(rows[0]?.body, name).toBe(rows[1]?.body);
        compared.push(name);
      }
    const { rows: all } = await one.client.query<{ name: string }>(
      `SELECT conname AS name FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.contype = 'c' AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
          AND c.relname <> ALL ($1)`,
      [TYPES_UNKNOWN],
    );
    expect(compared.sort()).toEqual(all.map(({ name }) => name).sort());
  });

  it('know every table: no relation stands there without an entity but migrations and partitions', async () => {
    const { rows } = await one.client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition ORDER BY relname`,
    );
    const known = source.entityMetadatas.map(({ tableName }) => tableName);
    expect(rows.map(({ name }) => name)).toEqual([...known, ...TYPES_UNKNOWN, 'migrations'].sort());
  });

  it('have no index on an expression, which drift detection would not see, but this one', async () => {
    const { rows } = await one.client.query<{ is: string }>(
      `SELECT pg_get_indexdef(indexrelid) AS is FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE c.relnamespace = 'public'::regnamespace AND i.indexprs IS NOT NULL AND NOT c.relispartition`,
    );
    // a column for it would be written for every event, and have the whole log rewritten once
    expect(rows.map(({ is }) => is)).toEqual([
      `CREATE INDEX audit_events_user_idx ON ONLY public.audit_events USING btree (((detail ->> 'user'::text)), created_at, id) WHERE ((detail ->> 'user'::text) IS NOT NULL)`,
    ]);
  });

  it('store secrets as digests: 32 bytes of bytea, and no column is called a token, a key or a secret', async () => {
    const { rows } = await one.client.query<{ table: string; column: string; type: string }>(
      `SELECT table_name AS table, column_name AS column, data_type AS type FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name ~ '^(token|secret|password|key|digest)$' ORDER BY 1`,
    );
    expect(rows.filter(({ column }) => column !== 'digest' && column !== 'key')).toEqual([]);
    expect(new Set(rows.map(({ type }) => type))).toEqual(new Set(['bytea']));
  });
});

describe('from the first schema on, with tokens in it', () => {
  const digest = randomBytes(32);
  let one: TestDatabase;
  const id = randomBytes(4).toString('hex');
  const [owner, role] = [`keks_owner_${id}`, `keks_old_${id}`];

  /** As the first version left it. */
  beforeAll(async () => {
    one = await database({ empty: true });
    await migrateWith(one, migrations.slice(0, 1));
    await one.client.query(`
      CREATE ROLE ${owner};
      CREATE ROLE ${role};
      ALTER TABLE grants OWNER TO ${owner};
      GRANT SELECT, INSERT, UPDATE, DELETE ON grants TO ${role};
      GRANT SELECT ON grants TO PUBLIC;
      SELECT keks_make_partition('access_tokens', date_trunc('day', now(), 'UTC'), date_trunc('day', now(), 'UTC') + interval '3 d');
      INSERT INTO users (name, name_folded, password_hash, scope) VALUES ('Ann', 'ann', '', '')`);
    await one.client.query(
      `WITH g AS (INSERT INTO grants (kind, user_id, scope) SELECT 'login', id, 'a' FROM users RETURNING id)
       INSERT INTO access_tokens (digest, expires_at, grant_id, scope, audience, format)
       SELECT $1, now() + interval '1 d', id, 'a', 'b', 'opaque' FROM g`,
      [digest],
    );
  });

  it('waits for a vacuum and for a dump without making anybody wait, and then goes on', async () => {
    const [vacuum, dump] = [new Client(connectionOf(one.url)), new Client(connectionOf(one.url))];
    await Promise.all([vacuum.connect(), dump.connect()]);
    await vacuum.query('BEGIN; LOCK TABLE access_tokens_default IN SHARE UPDATE EXCLUSIVE MODE');
    await dump.query('BEGIN; SELECT FROM access_tokens, grants');
    const migrating = migrate(connectionOf(one.url));
    const others = async (migrated: number) => {
      await vi.waitFor(
        async () => expect((await one.client.query('SELECT FROM migrations')).rows).toHaveLength(migrated),
        { timeout: 45_000 },
      );
      await one.client.query(`SET statement_timeout = '20s'`);
      for (let at = 0; at < 20; at += 1) {
        const found = await one.client.query(
          'SELECT FROM access_tokens t JOIN grants g ON g.id = t.grant_id',
        );
        expect(found.rows).toHaveLength(1);
        await one.client.query('UPDATE access_tokens SET revoked_at = NULL');
        await one.client.query('UPDATE grants SET last_used_at = now()');
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      await one.client.query('RESET statement_timeout');
    };
    await others(1);
    await vacuum.query('ROLLBACK');
    await others(2);
    await dump.query('ROLLBACK');
    expect(await migrating).toEqual(NAMES.slice(1));
    await Promise.all([vacuum.end(), dump.end()]);
  });

  it('has the very schema that a new database has, but for the partitions', async () => {
    const fresh = await database({ empty: true });
    await migrate(connectionOf(fresh.url));
    const partition = /access_tokens_2\d{7}/;
    const lines = (await catalogOf(one.client)).filter((line) => !partition.test(line));
    expect(lines).toEqual(await catalogOf(fresh.client));
  });

  it('keeps the tokens, which old and new programs find', async () => {
    const { rows } = await one.client.query(
      'SELECT t.user_id, t.client_id FROM access_tokens t JOIN grants g ON g.id = t.grant_id WHERE t.digest = $1',
      [digest],
    );
    expect(rows).toEqual([{ user_id: null, client_id: null }]);
  });

  it('changes old partitions, too: they have the index of new ones, and rows that can be told apart', async () => {
    const { rows } = await one.client.query<{ partition: string; definition: string; identity: string }>(
      `SELECT c.relname AS partition, pg_get_indexdef(i.indexrelid) AS definition, c.relreplident AS identity
         FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_index i ON i.indrelid = c.oid
        WHERE h.inhparent = 'access_tokens'::regclass`,
    );
    expect(rows).toHaveLength(2);
    for (const { definition, identity } of rows) {
      expect(definition).toContain('USING hash (digest)');
      expect(identity).toBe('f');
    }
  });

  it.each([
    ['ended_grants', 'DELETE SELECT'],
    ['revocations', 'DELETE SELECT'],
    ['guard_leases', 'DELETE INSERT SELECT UPDATE'],
    ['numbers_history', 'DELETE INSERT SELECT UPDATE'],
    ['owner_endings', 'DELETE INSERT SELECT UPDATE'],
    ['receivers', 'DELETE INSERT SELECT UPDATE'],
    ['undelivered_events', 'DELETE INSERT SELECT UPDATE'],
    ['token_exchanges', 'DELETE INSERT SELECT UPDATE'],
  ])('lets roles that serve use %s as they may grants, and nobody else', async (table, may) => {
    const { rows } = await one.client.query<{ role: string; may: string }>(
      `SELECT grantee AS role, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS may
         FROM information_schema.role_table_grants WHERE table_name = $1 AND grantee <> '${owner}'
        GROUP BY grantee ORDER BY grantee`,
      [table],
    );
    expect(rows).toEqual([
      { role: 'PUBLIC', may: 'SELECT' },
      { role, may },
    ]);
    const { rows: functions } = await one.client.query<{ open: boolean }>(
      `SELECT has_function_privilege($1, 'keks_note_grant_end()', 'EXECUTE') AS open`,
      [role],
    );
    expect(functions).toEqual([{ open: false }]);
  });

  it('leaves what is new to the owner of the rest, whoever migrates', async () => {
    const { rows } = await one.client.query<{ owner: string }>(
      `SELECT pg_get_userbyid(relowner) AS owner FROM pg_class
        WHERE relname IN ('ended_grants', 'owner_endings', 'revocations', 'guard_leases', 'numbers_history',
                          'receivers', 'undelivered_events', 'token_exchanges')
       UNION ALL
       SELECT pg_get_userbyid(p.proowner) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND t.tgparentid = 0`,
    );
    expect(rows).toEqual(Array.from({ length: 27 }, () => ({ owner })));
  });
});

const nameOf = (parent: string, seconds: number): string =>
  `${parent}_${new Date(seconds * 1_000).toISOString().slice(0, 10).replaceAll('-', '')}`;

describe('partitions', () => {
  let one: TestDatabase;
  let clock: ManualClock;

  const maintenanceOf = async (on: TestDatabase, settings: Record<string, string> = {}, url = on.url) => {
    const config = loadConfig(environment(on.url, { ACCESS_TOKEN_TTL: '7d', ...settings }));
    const maintenance = new Maintenance(config, clock);
    await maintenance.prepare(connectionOf(url));
    return maintenance;
  };

  async function attached(parent: string): Promise<string[]> {
    const { rows } = await one.client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE inhparent = $1::regclass ORDER BY 1`,
      [parent],
    );
    return rows.map(({ name }) => name);
  }

  async function insertToken(expiresAt: number): Promise<Buffer> {
    const digest = randomBytes(32);
    await one.client.query(
      `INSERT INTO access_tokens (digest, expires_at, grant_id, scope, audience, format)
       VALUES ($1, to_timestamp($2), gen_random_uuid(), '', '', 'opaque')`,
      [digest, expiresAt],
    );
    return digest;
  }

  async function placeOf(digest: Buffer): Promise<string | undefined> {
    const { rows } = await one.client.query<{ place: string }>(
      'SELECT tableoid::regclass::text AS place FROM access_tokens WHERE digest = $1',
      [digest],
    );
    return rows[0]?.place;
  }

  beforeAll(async () => {
    one = await database();
    // days are UTC days whatever the server thinks
    const { rows } = await one.client.query<{ name: string }>('SELECT current_database() AS name');
    await one.client.query(`ALTER DATABASE ${rows[0]?.name} SET timezone = 'Pacific/Auckland'`);
    await one.client.query(`ALTER DATABASE ${rows[0]?.name} SET datestyle = 'SQL, DMY'`);
    clock = new ManualClock();
  });

  it('are made ahead of need at the start: for every day a token can live, and two to spare', async () => {
    await maintenanceOf(one);
    const days = await attached('access_tokens');
    for (let day = 0; day <= 9; day += 1)
      expect(days).toContain(nameOf('access_tokens', clock.seconds() + day * DAY));
    expect(days).toContain('access_tokens_default');
    expect(days).toHaveLength(11);
    for (const seconds of [3_600, 6 * DAY, 7 * DAY]) {
      const expiresAt = clock.seconds() + seconds;
      expect(await placeOf(await insertToken(expiresAt))).toBe(nameOf('access_tokens', expiresAt));
    }
  });

  it('have bounds that are whole days of UTC, without a gap', async () => {
    const { rows } = await one.client.query<{ name: string; low: Date; high: Date }>(
      `SELECT c.relname AS name, b[1]::timestamptz AS low, b[2]::timestamptz AS high
         FROM pg_class c, regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''(.*)''\\) TO \\(''(.*)''\\)') AS b
        WHERE c.relname ~ '^access_tokens_\\d{8}$' ORDER BY 1`,
    );
    for (const [at, { name, low, high }] of rows.entries()) {
      expect(low.getTime() % (DAY * 1_000)).toBe(0);
      expect(high.getTime() - low.getTime()).toBe(DAY * 1_000);
      expect(name).toBe(nameOf('access_tokens', low.getTime() / 1_000));
      if (at > 0) expect(rows[at - 1]?.high).toEqual(low);
    }
    expect(rows.length).toBeGreaterThan(9);
  });

  it('take in what had to go to the default partition', async () => {
    const far = clock.seconds() + 12 * DAY;
    const [early, late] = [await insertToken(far), await insertToken(far + 3_600)];
    expect(await placeOf(early)).toBe('access_tokens_default');
    const maintenance = await maintenanceOf(one);
    clock.advance(4 * DAY);
    await maintenance.ensurePartitions();
    clock.advance(-4 * DAY);
    expect(await placeOf(early)).toBe(nameOf('access_tokens', far));
    expect(await placeOf(late)).toBe(nameOf('access_tokens', far + 3_600));
    const { rows } = await one.client.query('SELECT count(*)::int FROM ONLY access_tokens_default');
    expect(rows).toEqual([{ count: 0 }]);
  });

  it('can be made and purged by many at once', async () => {
    const many = await Promise.all(Array.from({ length: 8 }, () => maintenanceOf(one)));
    clock.advance(5 * DAY);
    await Promise.all(many.map((maintenance) => maintenance.run()));
    expect(await attached('access_tokens')).toContain(nameOf('access_tokens', clock.seconds() + 9 * DAY));
    clock.advance(-5 * DAY);
  });

  it('wait for a long reader without making others wait behind them', async () => {
    const maintenance = await maintenanceOf(one);
    const reader = new Client(connectionOf(one.url));
    await reader.connect();
    await reader.query('BEGIN; SELECT count(*) FROM access_tokens; SELECT count(*) FROM refresh_tokens');
    clock.advance(20 * DAY);
    let done = false;
    const run = maintenance.run().then(() => (done = true));
    await one.client.query("SET statement_timeout = '20s'");
    for (let n = 0; n < 10; n += 1) {
      await one.client.query('SELECT count(*) FROM access_tokens');
      await insertToken(clock.seconds() + 60);
    }
    await one.client.query('RESET statement_timeout');
    expect(done).toBe(false);
    await reader.query('COMMIT');
    await reader.end();
    await run;
    expect(await attached('access_tokens')).toContain(nameOf('access_tokens', clock.seconds() + 9 * DAY));
    clock.advance(-20 * DAY);
  });

  it('do not keep a start from succeeding while somebody reads for long, as a dump does', async () => {
    const reader = new Client(connectionOf(one.url));
    await reader.connect();
    await reader.query('BEGIN; SELECT count(*) FROM access_tokens');
    clock.advance(40 * DAY);
    // it tries again and again, and here without a pause to spread those who do
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    const maintenance = await maintenanceOf(one);
    random.mockRestore();
    const expiresAt = clock.seconds() + 9 * DAY;
    const digest = await insertToken(expiresAt);
    expect(await placeOf(digest)).toBe('access_tokens_default');
    await reader.query('COMMIT');
    await reader.end();
    await maintenance.run();
    expect(await placeOf(digest)).toBe(nameOf('access_tokens', expiresAt));
    clock.advance(-40 * DAY);
  });

  it('are not made, and not dropped, out of anything else', async () => {
    const { client } = one;
    await expect(
      client.query(`SELECT keks_make_partition('users', now(), now() + interval '1 d')`),
    ).rejects.toThrow('not a table that Keks partitions');
    await expect(
      client.query(`SELECT keks_make_partition('access_tokens', now(), now() - interval '1 d')`),
    ).rejects.toThrow('empty range');
    const drop = async (name: string): Promise<unknown> =>
      (await client.query(`SELECT keks_drop_partition($1, now() + interval '100 y') AS dropped`, [name]))
        .rows[0];
    for (const name of [
      'users',
      'access_tokens',
      'access_tokens_default',
      'grants',
      'pg_class',
      'none',
      '',
      'a"; --',
    ])
      expect(await drop(name), name).toEqual({ dropped: false });
    const before = await attached('access_tokens');
    const live = nameOf('access_tokens', clock.seconds());
    const { rows } = await client.query('SELECT keks_drop_partition($1, to_timestamp($2)) AS dropped', [
      live,
      clock.seconds(),
    ]);
    expect(rows).toEqual([{ dropped: false }]);
    expect(await attached('access_tokens')).toEqual(before);
  });

  it('need no ownership: a role that may only read and write data can make them and drop them', async () => {
    const role = `keks_${randomBytes(4).toString('hex')}`;
    const functions = [
      'keks_make_partition(text, timestamptz, timestamptz)',
      'keks_drop_partition(text, timestamptz)',
    ].join(', ');
    await one.client.query(`CREATE ROLE ${role} LOGIN`);
    await one.client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
    const connection = { ...connectionOf(one.url), user: role };
    const client = new Client(connection);
    await client.connect();
    const far = `timestamptz '2040-01-01Z'`;
    const make = `SELECT keks_make_partition('access_tokens', ${far}, ${far} + interval '1 d') AS made`;
    await expect(client.query(make)).rejects.toThrow('permission denied');
    await one.client.query(`GRANT EXECUTE ON FUNCTION ${functions} TO ${role}`);
    expect((await client.query(make)).rows).toEqual([{ made: true }]);
    // nothing of the caller's gets under a function that runs with its owner's rights
    await client.query(`SET search_path = pg_temp, public; CREATE TEMP TABLE access_tokens (x text)`);
    const drop = `SELECT keks_drop_partition('access_tokens_20400101', ${far} + interval '1 d') AS dropped`;
    expect((await client.query(drop)).rows).toEqual([{ dropped: true }]);
    await client.end();
    await one.client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it(
    `stay few over ${DAYS} days, and purging drops what is over, at once, and never a token that is alive`,
    { timeout: 180_000 },
    async () => {
      one = await database();
      clock = new ManualClock();
      const maintenance = await maintenanceOf(one);
      const tokens = new Map<string, number>();
      for (let day = 0; day < DAYS; day += 1) {
        for (const lifetime of [60, DAY, DAY + 60, DAY + 7_200, 7 * DAY, 12 * DAY]) {
          const expiresAt = clock.seconds() + lifetime;
          tokens.set((await insertToken(expiresAt)).toString('hex'), expiresAt);
        }
        clock.advance(DAY);
        await maintenance.run();
        const now = clock.seconds();
        const { rows } = await one.client.query<{ digest: string; at: number }>(
          `SELECT encode(digest, 'hex') AS digest, extract(epoch FROM expires_at)::int AS at FROM access_tokens`,
        );
        const alive = [...tokens].filter(([, expiresAt]) => expiresAt > now).map(([digest]) => digest);
        const found = rows.filter(({ at }) => at > now).map(({ digest }) => digest);
        expect(found.sort()).toEqual(alive.sort());
        // what is over goes with its day
        for (const { at } of rows) expect(at).toBeGreaterThan(now - DAY);
        expect((await attached('access_tokens')).length).toBeLessThanOrEqual(15);
        expect((await attached('refresh_tokens')).length).toBeLessThanOrEqual(5);
        expect((await attached('audit_events')).length).toBeLessThanOrEqual(7);
      }
      const { rows } = await one.client.query<{ invalid: number }>(
        `SELECT count(*)::int AS invalid FROM pg_index WHERE NOT indisvalid`,
      );
      expect(rows).toEqual([{ invalid: 0 }]);
      const { rows: orphans } = await one.client.query(
        `SELECT relname FROM pg_class WHERE relname ~ '_\\d{8}$' AND relkind = 'r' AND NOT relispartition`,
      );
      expect(orphans).toEqual([]);
    },
  );

  it('of the audit log are kept for a year and more, and dropped then', async () => {
    // the function goes by the database's own clock, so the log is as old as it has to be
    clock = new ManualClock();
    clock.advance(-470 * DAY);
    const maintenance = await maintenanceOf(one);
    const { client } = one;
    const at = clock.seconds();
    await client.query(`INSERT INTO audit_events (created_at, type) VALUES (to_timestamp($1), 'a')`, [at]);
    const partition = nameOf('audit_events', Date.UTC(...monthOf(at)) / 1_000);
    clock.advance(370 * DAY);
    await maintenance.run();
    expect(await attached('audit_events')).toContain(partition);
    clock.advance(100 * DAY);
    await maintenance.run();
    expect(await attached('audit_events')).not.toContain(partition);
  });
});

function monthOf(seconds: number): [number, number] {
  const at = new Date(seconds * 1_000);
  return [at.getUTCFullYear(), at.getUTCMonth()];
}
