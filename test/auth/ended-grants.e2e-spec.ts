import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthService } from '../../src/auth/auth.service.js';
import { LastUse } from '../../src/auth/grants/last-use.js';
import { digestOf } from '../../src/auth/tokens/token-format.js';
import { DESCRIBE_WITH_GRANTS, LOOK_UP_ACCESS_TOKENS } from '../../src/auth/tokens/token-lookup.sql.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import {
  addClient,
  basic,
  clientToken,
  issued,
  refresh,
  stayLoggedIn,
  submit,
  type TestClient,
} from '../support/oauth.js';
import { logStatements } from '../support/statement-log.js';
import { get, post, startTestApp, type TestApp } from '../support/test-app.js';

const DAY = 86_400;

let keks: TestApp;
let client: TestClient;

const sql = async <R>(text: string, values: unknown[] = []): Promise<R[]> =>
  (await keks.database.client.query(text, values)).rows as R[];

async function grantOf(token: string): Promise<string> {
  const [row] = await sql<{ grant_id: string }>('SELECT grant_id FROM access_tokens WHERE digest = $1', [
    digestOf(token),
  ]);
  return row?.grant_id ?? '';
}

const status = async (token: string): Promise<number> => (await get(keks.url, '/cookies', token)).status;

const told = async (token: string): Promise<unknown> =>
  (await submit(keks.url, '/oauth/introspect', { token }, basic(client))).body;

/** As a version issued it that did not write down whose it is. */
async function makeOld(token: string): Promise<void> {
  const rows = await sql(
    'UPDATE access_tokens SET user_id = NULL, client_id = NULL WHERE digest = $1 RETURNING id',
    [digestOf(token)],
  );
  expect(rows).toHaveLength(1);
}

const login = (): Promise<string> => keks.login('Ann', 'cookies:eat');
/** A client has one grant for all of its tokens: each of these has its own. */
const ofClient = async (): Promise<string> =>
  (await clientToken(keks, await addClient(keks), { scope: 'cookies:eat' })).access_token;
const refreshed = async (times = 1): Promise<string> => {
  const stay = await stayLoggedIn(keks, 'Ann');
  for (; times > 1; times -= 1) await refresh(keks, stay.refresh_token);
  return issued(await refresh(keks, stay.refresh_token)).access_token;
};

beforeAll(async () => {
  keks = await startTestApp({ ACCESS_TOKEN_TTL: '7d' });
  await keks.addUser('Ann');
  client = await addClient(keks, { scope: ['cookies:eat'], audience: [keks.config.AUDIENCE] });
});

afterAll(() => keks.close());

const OWNERS: [string, () => Promise<string>][] = [
  ['a login', login],
  ['a client', ofClient],
  ['a refreshed login', () => refreshed()],
  ['a login refreshed twice with one token', () => refreshed(2)],
];

describe.each(OWNERS)('a token of %s', (_, issue) => {
  it('says itself whose it is: as its grant does', async () => {
    const token = await issue();
    const rows = await sql(
      `SELECT FROM access_tokens t JOIN grants g ON g.id = t.grant_id
        WHERE t.digest = $1 AND g.user_id IS NOT DISTINCT FROM t.user_id AND g.client_id IS NOT DISTINCT FROM t.client_id`,
      [digestOf(token)],
    );
    expect(rows).toHaveLength(1);
    expect(await status(token)).toBe(200);
  });

  it('is judged and told the same where it does not, because a version before issued it', async () => {
    const token = await issue();
    const auth = keks.app.get(AuthService);
    const [verdict, description] = [await auth.validate(token), await told(token)];
    expect(description).toMatchObject({ active: true });
    await makeOld(token);
    expect(await auth.validate(token)).toEqual(verdict);
    expect(await told(token)).toEqual(description);
  });
});

const NOW = `SET revoked_at = now(), revoked_reason = 'by hand'`;
const ENDS: [string, string][] = [
  ['is revoked', `UPDATE grants ${NOW} WHERE id = $1`],
  ['ends earlier than it did', `UPDATE grants SET expires_at = now() - interval '1 s' WHERE id = $1`],
  ['is deleted', `DELETE FROM grants WHERE id = $1`],
  ['has another id', `UPDATE grants SET id = gen_random_uuid() WHERE id = $1`],
];

describe.each(ENDS)('when a grant %s by whoever has psql', (_, statement) => {
  it.each(OWNERS.slice(0, 3))(
    'each token of %s is dead: those that say whose they are, and old ones',
    async (__, issue) => {
      const [token, old] = [await issue(), await issue()];
      await makeOld(old);
      expect([await status(token), await status(old)]).toEqual([200, 200]);
      for (const one of [token, old]) await sql(statement, [await grantOf(one)]);
      expect([await status(token), await status(old)]).toEqual([401, 401]);
      expect([await told(token), await told(old)]).toEqual([{ active: false }, { active: false }]);
    },
  );

  it('nothing of it counts until it is committed, and nothing if it is not', async () => {
    const token = await login();
    const { client: connection } = keks.database;
    await connection.query('BEGIN');
    await sql(statement, [await grantOf(token)]);
    expect(await status(token)).toBe(200);
    await connection.query('ROLLBACK');
    expect(await status(token)).toBe(200);
  });

  it('tokens of others live on', async () => {
    const [token, other] = [await login(), await login()];
    await sql(statement, [await grantOf(token)]);
    expect(await status(other)).toBe(200);
  });
});

describe('a grant', () => {
  it('that is no longer revoked has living tokens again', async () => {
    const token = await login();
    const grant = await grantOf(token);
    await sql(`UPDATE grants ${NOW} WHERE id = $1`, [grant]);
    expect(await status(token)).toBe(401);
    await sql('UPDATE grants SET revoked_at = NULL, revoked_reason = NULL WHERE id = $1', [grant]);
    expect(await status(token)).toBe(200);
  });

  it('that ends earlier, and after all later, ends when it ends', async () => {
    const token = await login();
    const grant = await grantOf(token);
    const endsIn = (interval: string) =>
      sql('UPDATE grants SET expires_at = now() + $2::interval WHERE id = $1', [grant, interval]);
    await endsIn('10 s');
    expect(await status(token)).toBe(200);
    keks.clock.advance(11);
    expect(await status(token)).toBe(401);
    await endsIn('1 d');
    expect(await status(token)).toBe(200);
    keks.clock.advance(-11);
  });

  it('that is revoked already when it comes, as from a dump, gives no life to tokens that come after it', async () => {
    const token = await login();
    const grant = await grantOf(token);
    await sql('CREATE TABLE copy AS SELECT * FROM grants WHERE id = $1', [grant]);
    await sql(`UPDATE copy ${NOW}`);
    await sql('DELETE FROM grants WHERE id = $1', [grant]);
    await sql('DELETE FROM ended_grants WHERE grant_id = $1', [grant]);
    await sql('INSERT INTO grants SELECT * FROM copy');
    expect(await status(token)).toBe(401);
    await sql('DROP TABLE copy');
  });

  it('leaves no note when only its last use changes', async () => {
    const token = await login();
    expect(await status(token)).toBe(200);
    await keks.app.get(LastUse).flush();
    const [row] = await sql<{ used: boolean }>(
      'SELECT last_used_at IS NOT NULL AS used FROM grants WHERE id = $1',
      [await grantOf(token)],
    );
    expect(row).toEqual({ used: true });
    expect(await sql('SELECT FROM ended_grants WHERE grant_id = $1', [await grantOf(token)])).toEqual([]);
  });
});

describe('the note that a grant has ended', () => {
  it('is kept for longer than any access token can live, and not for ever', async () => {
    const token = await login();
    const grant = await grantOf(token);
    const notes = async () => (await sql('SELECT FROM ended_grants WHERE grant_id = $1', [grant])).length;
    await sql(`UPDATE grants ${NOW} WHERE id = $1`, [grant]);
    expect(await notes()).toBe(1);
    keks.clock.advance(7 * DAY - 5);
    await keks.app.get(Maintenance).purge();
    expect(await status(token)).toBe(401);
    expect(await notes()).toBe(1);
    keks.clock.advance(DAY + 10);
    await keks.app.get(Maintenance).purge();
    expect(await notes()).toBe(0);
    keks.clock.advance(-8 * DAY - 5);
  });

  it('is kept until an end that is far ahead has come and gone', async () => {
    const own = await addClient(keks);
    const grant = await grantOf((await clientToken(keks, own)).access_token);
    await sql(`UPDATE grants SET expires_at = now() + interval '10 d' WHERE id = $1`, [grant]);
    keks.clock.advance(9 * DAY);
    await keks.app.get(Maintenance).run();
    const token = (await clientToken(keks, own, { scope: 'cookies:eat' })).access_token;
    expect(await status(token)).toBe(200);
    keks.clock.advance(2 * DAY);
    expect(await status(token)).toBe(401);
    keks.clock.advance(-11 * DAY);
  });

  it('is made anew of a client’s grant that is purged: its tokens may be younger than its end', async () => {
    const own = await addClient(keks);
    const grant = await grantOf((await clientToken(keks, own)).access_token);
    await sql(`UPDATE grants SET expires_at = now() - interval '8 d 1 min' WHERE id = $1`, [grant]);
    await sql(`UPDATE ended_grants SET noted_at = now() - interval '8 d 1 min' WHERE grant_id = $1`, [grant]);
    const token = (await clientToken(keks, own, { scope: 'cookies:eat' })).access_token;
    expect(await grantOf(token)).toBe(grant);
    expect(await status(token)).toBe(401);
    await keks.app.get(Maintenance).purge();
    expect(await sql('SELECT FROM grants WHERE id = $1', [grant])).toEqual([]);
    expect(await status(token)).toBe(401);
  });

  it('counts from a revoke by another clock that is ahead', async () => {
    const token = await login();
    const grant = await grantOf(token);
    await sql(`UPDATE grants SET revoked_at = now() + interval '3 d' WHERE id = $1`, [grant]);
    const [note] = await sql<{ ahead: boolean }>(
      `SELECT noted_at > now() + interval '2 d' AS ahead FROM ended_grants WHERE grant_id = $1`,
      [grant],
    );
    expect(note).toEqual({ ahead: true });
  });

  it('is not made of logins that go after their end, as a purge has it: their tokens have all expired', async () => {
    const [grant] = await sql<{ id: string }>(
      `INSERT INTO grants (kind, user_id, scope, expires_at)
       SELECT 'login', id, '', now() + interval '100 ms' FROM users LIMIT 1 RETURNING id`,
    );
    await sql('SELECT pg_sleep(0.2)');
    expect(await sql('DELETE FROM grants WHERE id = $1 RETURNING id', [grant?.id])).toHaveLength(1);
    expect(await sql(`SELECT FROM ended_grants WHERE grant_id = $1`, [grant?.id])).toEqual([]);
  });
});

describe('rows of a dump', () => {
  /** As `pg_restore --data-only` loads them, in whichever order its workers come to it. */
  const LOAD = {
    grants: 'INSERT INTO grants SELECT * FROM dumped_grants',
    'their notes': 'INSERT INTO ended_grants SELECT * FROM dumped_notes',
  };

  it.each([
    ['grants', 'their notes'],
    ['their notes', 'grants'],
  ] as const)('%s before %s: what was dead is dead, what was alive is alive', async (...order) => {
    const [revoked, deleted, shortened, alive] = [await login(), await login(), await login(), await login()];
    await sql(`UPDATE grants ${NOW} WHERE id = $1`, [await grantOf(revoked)]);
    await sql('DELETE FROM grants WHERE id = $1', [await grantOf(deleted)]);
    await sql(`UPDATE grants SET expires_at = now() WHERE id = $1`, [await grantOf(shortened)]);
    await sql('CREATE TABLE dumped_grants AS SELECT * FROM grants');
    await sql('CREATE TABLE dumped_notes AS SELECT * FROM ended_grants');
    await sql('DELETE FROM grants');
    await sql('DELETE FROM ended_grants');
    for (const rows of order) await sql(LOAD[rows]);
    await sql('DROP TABLE dumped_grants, dumped_notes');
    const tokens = [revoked, deleted, shortened, alive];
    expect(await Promise.all(tokens.map(status))).toEqual([401, 401, 401, 200]);
  });

  it('a grant that comes back after it was deleted has living tokens again', async () => {
    const token = await login();
    const grant = await grantOf(token);
    await sql('CREATE TABLE copy AS SELECT * FROM grants WHERE id = $1', [grant]);
    await sql('DELETE FROM grants WHERE id = $1', [grant]);
    expect(await status(token)).toBe(401);
    await sql('INSERT INTO grants SELECT * FROM copy');
    await sql('DROP TABLE copy');
    expect(await status(token)).toBe(200);
  });
});

describe('the look-up of a token', () => {
  it('is one statement; of old ones that are among others it is one more for all of them', async () => {
    const tokens = [await login(), await login(), await login()];
    for (const old of tokens.slice(1)) await makeOld(old);
    const log = await logStatements(keks.database);
    expect(await status(tokens[0] ?? '')).toBe(200);
    expect(await log.since()).toEqual([LOOK_UP_ACCESS_TOKENS.name]);
    expect(await status(tokens[1] ?? '')).toBe(200);
    expect(await log.since()).toEqual([LOOK_UP_ACCESS_TOKENS.name, DESCRIBE_WITH_GRANTS.name]);
    const auth = keks.app.get(AuthService);
    const verdicts = await Promise.all(tokens.map((token) => auth.validate(token)));
    expect(verdicts.map(({ active }) => active)).toEqual([true, true, true]);
    expect(await log.since()).toEqual([LOOK_UP_ACCESS_TOKENS.name, DESCRIBE_WITH_GRANTS.name]);
  });
});

describe('a database that is replicated by publication', () => {
  it('takes revokes and uses: rows can be told apart without a primary key, in new partitions and in old ones', async () => {
    await sql('CREATE PUBLICATION everything FOR ALL TABLES');
    try {
      const token = await login();
      await keks.app.get(Maintenance).ensurePartitions();
      expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
      expect(await status(token)).toBe(401);
      const rows = await sql<{ relreplident: string }>(
        `SELECT DISTINCT relreplident FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
          WHERE i.inhparent = 'access_tokens'::regclass`,
      );
      expect(rows).toEqual([{ relreplident: 'f' }]);
    } finally {
      await sql('DROP PUBLICATION everything');
    }
  });
});

describe('TRUNCATE of all grants, in an emergency', () => {
  it.each(['TRUNCATE grants CASCADE', 'TRUNCATE access_tokens, grants, api_keys', 'TRUNCATE users CASCADE'])(
    '%s: no token outlives it',
    async (statement) => {
      const token = await login();
      expect(await status(token)).toBe(200);
      await sql(statement);
      expect(await status(token)).toBe(401);
    },
  );

  it('is refused where the newest tokens would not be seen', async () => {
    await sql('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await expect(sql('TRUNCATE grants CASCADE')).rejects.toThrow('READ COMMITTED');
    await sql('ROLLBACK');
  });
});
