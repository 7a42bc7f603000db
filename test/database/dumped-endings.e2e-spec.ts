import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EndingSweeper } from '../../src/auth/grants/ending-sweeper.js';
import { connectionOf } from '../../src/database/pools.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { TABLES } from '../support/growth.js';
import { addClient, refresh, secretPost, stayLoggedIn, submit, type Login } from '../support/oauth.js';
import { get, PASSWORD, PATIENTLY, post, request, startTestApp, type TestApp } from '../support/test-app.js';

/** More than end by a row of their own. */
const MANY = 600;

/** What somebody held who was ended, and what somebody holds who was not. */
interface Held {
  readonly access: string[];
  readonly refresh: string[];
}

/**
 * All tables copied out and in by PostgreSQL itself, with what pg_dump does about triggers. A whole dump has its triggers made
 * after its rows; one of the data alone goes into a schema that has them.
 */
describe('what was ended before a dump is still ended where it is loaded', () => {
  let folder = '';
  const dead: Held = { access: [], refresh: [] };
  const alive: Held = { access: [], refresh: [] };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keks-dump-'));
    // another user may run PostgreSQL
    await chmod(folder, 0o777);
    const keks = await startTestApp({ MAX_SESSIONS_PER_USER: '100000' });
    await keks.app.get(EndingSweeper).beforeApplicationShutdown();
    await fill(keks);
    await withClient(keks.database, async (client) => {
      for (const table of Object.keys(TABLES))
        await client.query(`COPY (SELECT * FROM ${table}) TO '${join(folder, table)}'`);
    });
    await keks.close();
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function fill(keks: TestApp): Promise<void> {
    const { client } = keks.database;
    for (const name of ['Ann', 'Bea', 'Cem', 'Dan', 'Eve']) await keks.addUser(name, 'cookies:eat');
    await keks.addUser('Root', 'keks:admin');
    const admin = { authorization: `Bearer ${await keks.login('Root')}` };
    const keep = (held: Held, { token, refresh_token: again }: Login): void => {
      held.access.push(token);
      held.refresh.push(again);
    };
    const idOf = async (name: string): Promise<string> =>
      (await client.query<{ id: string }>('SELECT id FROM users WHERE name = $1', [name])).rows[0]!.id;
    const eachOf = async (name: string): Promise<Login[]> => [
      await stayLoggedIn(keks, name, { scope: 'cookies:eat' }),
      await stayLoggedIn(keks, name, { scope: 'cookies:eat', format: 'jwt' }),
    ];

    // one token, one login by its refresh token, and the login beside them
    const [one, two, three] = [...(await eachOf('Ann')), ...(await eachOf('Ann'))];
    await post(keks.url, '/revoke', { token: one!.token });
    dead.access.push(one!.token);
    await post(keks.url, '/revoke', { token: two!.refresh_token });
    keep(dead, two!);
    keep(alive, three!);

    // very many of one user at once, which nobody has swept when the dump is made; a grant without an epoch among them
    for (const login of await eachOf('Bea')) keep(dead, login);
    await client.query(
      `UPDATE grants SET epoch = NULL, created_at = created_at - interval '2 hours'
        WHERE id = (SELECT id FROM grants WHERE user_id = $1 ORDER BY created_at LIMIT 1)`,
      [await idOf('Bea')],
    );
    await plantMany(client, await idOf('Bea'));
    const revoked = await request(keks.url, `/admin/users/${await idOf('Bea')}/revoke`, {
      method: 'POST',
      headers: admin,
    });
    expect(revoked.status).toBe(204);
    for (const login of await eachOf('Bea')) keep(alive, login);

    // disabled, and with psql, and let in again: nothing comes back
    for (const name of ['Cem', 'Dan']) for (const login of await eachOf(name)) keep(dead, login);
    await plantMany(client, await idOf('Cem'));
    const path = `/admin/users/${await idOf('Cem')}`;
    for (const disabled of [true, false]) {
      const body = JSON.stringify({ disabled });
      const headers = { ...admin, 'content-type': 'application/json' };
      expect((await request(keks.url, path, { method: 'PATCH', headers, body })).status).toBe(200);
    }
    await client.query(`UPDATE users SET disabled_at = now() WHERE name = 'Dan'`);
    await client.query(`UPDATE users SET disabled_at = NULL WHERE name = 'Dan'`);

    // a client's, and a key
    const system = await addClient(keks, { scope: ['cookies:eat'] });
    const ofClient = async (): Promise<string> => {
      const fields = { grant_type: 'client_credentials', ...secretPost(system) };
      return ((await submit(keks.url, '/oauth/token', fields)).body as { access_token: string }).access_token;
    };
    dead.access.push(await ofClient());
    await request(keks.url, `/admin/clients/${system.clientId}/revoke`, { method: 'POST', headers: admin });
    alive.access.push(await ofClient());
    const own = { authorization: `Bearer ${await keks.login('Eve')}` };
    const keys = [];
    for (const label of ['goes', 'stays'])
      keys.push(
        (await post(keks.url, '/keys', { label, password: PASSWORD }, own)).body as Record<string, string>,
      );
    await request(keks.url, `/keys/${keys[0]!['id']}`, { method: 'DELETE', headers: own });
    dead.access.push(keys[0]!['key']!);
    alive.access.push(keys[1]!['key']!);

    const { rows } = await client.query('SELECT kinds FROM owner_endings');
    expect(rows).toHaveLength(3);
    await verdicts(keks);
  }

  async function plantMany(client: pg.Client, user: string): Promise<void> {
    await client.query(
      `INSERT INTO grants (kind, user_id, epoch, scope, expires_at)
       SELECT 'login', id, epoch, '', now() + interval '1 day' FROM users, generate_series(1, ${MANY}) WHERE id = $1`,
      [user],
    );
  }

  /** Of everything that somebody held; a refresh token is used up by it. */
  async function verdicts(keks: TestApp): Promise<void> {
    const status = async (token: string): Promise<number> => (await get(keks.url, '/cookies', token)).status;
    for (const [at, token] of dead.access.entries()) expect([at, await status(token)]).toEqual([at, 401]);
    for (const [at, token] of alive.access.entries()) expect([at, await status(token)]).toEqual([at, 200]);
  }

  async function withClient(of: TestDatabase, work: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client(connectionOf(of.url));
    await client.connect();
    await work(client).finally(() => client.end());
  }

  const WITH_TRIGGERS = [
    ...['users', 'clients', 'grants'],
    ...Object.keys(TABLES).filter((table) => !['users', 'clients', 'grants'].includes(table)),
  ];
  const ENDINGS_FIRST = ['users', 'clients', 'ended_grants', 'owner_endings', 'grants'];

  it.each([
    ['a whole dump', 'replica', Object.keys(TABLES)],
    ['the data alone, with its triggers', 'origin', WITH_TRIGGERS],
    [
      'the data alone, with what has ended first',
      'origin',
      [...ENDINGS_FIRST, ...WITH_TRIGGERS.filter((table) => !ENDINGS_FIRST.includes(table))],
    ],
  ])('%s', async (_, role, tables) => {
    const database = await createDatabase();
    await withClient(database, async (client) => {
      await client.query(`SET session_replication_role = ${role}`);
      for (const table of tables) {
        await client.query(`DELETE FROM ${table}`);
        await client.query(`COPY ${table} FROM '${join(folder, table)}'`);
      }
    });
    const keks = await startTestApp({}, database);
    await verdicts(keks);
    for (const token of dead.refresh) expect((await refresh(keks, token)).status).toBe(400);
    for (const token of alive.refresh) expect((await refresh(keks, token)).status).toBe(200);
    keks.app.get(EndingSweeper).wake();
    await expect
      .poll(async () => (await database.client.query('SELECT FROM owner_endings')).rowCount, PATIENTLY)
      .toBe(0);
    await verdicts(keks);
    await keks.close();
  });
});
