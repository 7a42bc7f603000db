import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectionOf } from '../../src/database/pools.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { OUR_TABLES } from '../../src/database/schema/preconditions.js';
import { selfSigned } from '../support/certificate.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { keksHere } from '../support/keks-here.js';
import { freePort } from '../support/ports.js';
import { launch } from '../support/process.js';
import { environment, startTestApp } from '../support/test-app.js';

/** What somebody tries first, and the mend that is in the refusal. */
interface Case {
  readonly mend: RegExp;
  /** With the rights of a superuser. */
  readonly prepare: (database: TestDatabase, role: string) => Promise<unknown>;
  readonly schema?: string;
}

const sql =
  (...texts: readonly string[]) =>
  async ({ client }: TestDatabase, role: string): Promise<void> => {
    for (const text of texts) await client.query(text.replaceAll('ROLE_', role));
  };

const EMPTY: Readonly<Record<string, Case>> = {
  'public without CREATE, as PostgreSQL 15 and newer have it': {
    prepare: sql('REVOKE CREATE ON SCHEMA public FROM public'),
    mend: /may not make tables in the schema "public": GRANT CREATE ON SCHEMA "public" TO "\w+" as its owner, or .*DATABASE_SCHEMA=keks/,
  },
  'a table of another program by our name': {
    prepare: sql('CREATE TABLE users (id int, name text)', 'GRANT ALL ON SCHEMA public TO ROLE_'),
    mend: /has tables of another program \(users\): give Keks a schema of its own/,
  },
  'a view of another program by our name': {
    prepare: sql('CREATE VIEW clients AS SELECT 1 AS one', 'GRANT ALL ON SCHEMA public TO ROLE_'),
    mend: /has tables of another program \(clients\)/,
  },
  'the migrations of another program': {
    prepare: sql(
      'CREATE TABLE migrations (id serial, timestamp bigint, name text)',
      `INSERT INTO migrations (timestamp, name) VALUES (1, 'Init1600000000000')`,
      'GRANT ALL ON SCHEMA public TO ROLE_',
      'GRANT SELECT ON migrations TO ROLE_',
    ),
    mend: /table "migrations" in the schema "public" is of another program: give Keks a schema of its own/,
  },
  'a table of migrations of another kind': {
    prepare: sql('CREATE TABLE migrations (version text)', 'GRANT ALL ON SCHEMA public TO ROLE_'),
    mend: /table "migrations" in the schema "public" is of another program/,
  },
  'a schema that is not there': {
    prepare: async () => undefined,
    schema: 'nowhere',
    mend: /no schema "nowhere".*CREATE SCHEMA "nowhere"/,
  },
};

const OWNER = 'keks_owner';

const MIGRATED: Readonly<Record<string, Case>> = {
  'tables that belong to somebody else': {
    prepare: async () => undefined,
    mend: /belong to "keks_owner\w+", and the role "\w+" may not change them: run "keks migrate" as "keks_owner/,
  },
  'a role that does not inherit the owner’s rights': {
    prepare: async ({ client }, role) => {
      const { rows } = await client.query<{ owner: string }>(
        `SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relname = 'users' AND relkind = 'r'`,
      );
      await client.query(`ALTER ROLE ${role} NOINHERIT`);
      await client.query(`GRANT ${rows[0]?.owner} TO ${role}`);
    },
    mend: /ALTER ROLE "\w+" INHERIT/,
  },
};

describe('a database that answers "no" is not called away: one line with the mend, from', () => {
  const databases: TestDatabase[] = [];
  afterAll(async () => {
    for (const one of databases) await one.close();
  });

  async function prepared(one: Case, { empty }: { empty: boolean }): Promise<Record<string, string>> {
    const database = await createDatabase({ empty });
    databases.push(database);
    const role = `role_${randomBytes(4).toString('hex')}`;
    await database.client.query(`CREATE ROLE ${role} LOGIN`);
    if (!empty) {
      // as if the program were older: the last of its migrations has not run
      const owner = `${OWNER}_${randomBytes(4).toString('hex')}`;
      await database.client.query(`CREATE ROLE ${owner}`);
      await database.client.query(`GRANT ALL ON SCHEMA public TO ${owner}, ${role}`);
      await database.client.query(
        `DELETE FROM migrations WHERE timestamp = (SELECT max(timestamp) FROM migrations)`,
      );
      await database.client.query(`GRANT SELECT ON migrations TO ${role}`);
      for (const table of OUR_TABLES) await database.client.query(`ALTER TABLE ${table} OWNER TO ${owner}`);
    }
    await one.prepare(database, role);
    const url = new URL(database.url);
    url.searchParams.set('user', role);
    return environment(url.href, one.schema === undefined ? {} : { DATABASE_SCHEMA: one.schema });
  }

  const cases = [
    ...Object.entries(EMPTY).map(([name, one]) => ({ name, one, empty: true })),
    ...Object.entries(MIGRATED).map(([name, one]) => ({ name, one, empty: false })),
  ];

  it.each(cases)('the migrator, `keks migrate` and `keks doctor`: $name', async ({ one, empty }) => {
    const settings = await prepared(one, { empty });
    const connection = connectionOf(settings['DATABASE_URL'] ?? '', one.schema);
    await expect(migrate(connection)).rejects.toThrow(one.mend);
    const verb = await keksHere(settings, ['migrate']);
    expect([verb.code, verb.stdout]).toEqual([1, '']);
    expect(verb.stderr).toMatch(one.mend);
    expect(verb.stderr.trim().split('\n')).toHaveLength(1);
    const doctor = await keksHere(settings, ['doctor', '--json']);
    expect(doctor.code).toBe(1);
    const { checks } = JSON.parse(doctor.stdout) as { checks: { status: string; mend?: string }[] };
    expect(checks.filter(({ status }) => status === 'fail').map(({ mend }) => mend)).toEqual([
      expect.stringMatching(one.mend),
    ]);
  });

  it('the start: exit 1, one line, no port', async () => {
    const settings = await prepared(EMPTY['public without CREATE, as PostgreSQL 15 and newer have it']!, {
      empty: true,
    });
    const keks = launch({ ...settings, PORT: String(await freePort()), LOG_LEVEL: 'silent' });
    expect(await keks.ended).toBe(1);
    expect(keks.output().trim().split('\n')).toEqual([expect.stringMatching(/GRANT CREATE ON SCHEMA/)]);
  });

  it('and a server that has nothing to migrate asks for no such right', async () => {
    const database = await createDatabase();
    await database.client.query('REVOKE ALL ON SCHEMA public FROM public');
    await database.client.query('GRANT USAGE ON SCHEMA public TO public');
    const keks = await startTestApp({}, database);
    await keks.close();
  });
});

describe('an encoding in which not every name can be stored', () => {
  it.each(['LATIN1', 'SQL_ASCII'])('%s: refused at the start, and by doctor', async (encoding) => {
    const name = `t_${randomBytes(6).toString('hex')}`;
    const admin = new pg.Client(connectionOf(inject('postgres')));
    await admin.connect();
    await admin.query(
      `CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`,
    );
    await admin.end();
    const url = new URL(inject('postgres'));
    url.pathname = `/${name}`;
    const mend = new RegExp(`encoding of the database is ${encoding}.*ENCODING 'UTF8'`);
    await expect(migrate(connectionOf(url.href))).rejects.toThrow(mend);
    const doctor = await keksHere(environment(url.href), ['doctor']);
    expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(mend)]);
  });
});

describe('TLS to the database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keks-says-no-'));
  let speaker: Server;
  let port = 0;

  beforeAll(async () => {
    const { cert, key } = await selfSigned();
    writeFileSync(join(folder, 'other.pem'), (await selfSigned()).cert);
    // no PostgreSQL is needed for what comes before its first word
    speaker = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write('S');
        new TLSSocket(socket, { isServer: true, cert, key }).on('error', () => undefined);
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => speaker.once('listening', resolve));
    const address = speaker.address();
    port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  });

  afterAll(() => {
    speaker.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    [
      'a certificate that nobody here believes',
      () => `127.0.0.1:${port}/keks?sslmode=verify-full`,
      /sslrootcert=FILE/,
    ],
    [
      'one of another authority',
      () => `127.0.0.1:${port}/keks?sslmode=verify-full&sslrootcert=${join(folder, 'other.pem')}`,
      /sslrootcert=FILE/,
    ],
  ])('%s', async (_, where, mend) => {
    await expect(migrate(connectionOf(`postgresql://keks@${where()}`))).rejects.toThrow(mend);
    const { code, stderr } = await keksHere(environment(`postgresql://keks@${where()}`), ['migrate']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(mend)]);
  });

  it('asked for of a server that has none', async () => {
    const plain = createServer((socket) => socket.once('data', () => socket.end('N'))).listen(0, '127.0.0.1');
    await new Promise((resolve) => plain.once('listening', resolve));
    const address = plain.address();
    const at = typeof address === 'object' ? address?.port : 0;
    await expect(
      migrate(connectionOf(`postgresql://keks@127.0.0.1:${at}/keks?sslmode=verify-full`)),
    ).rejects.toThrow(/speaks none: turn ssl on in PostgreSQL, or say sslmode=disable/);
    plain.close();
  });
});
