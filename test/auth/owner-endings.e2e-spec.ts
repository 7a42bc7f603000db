import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EndingSweeper } from '../../src/auth/grants/ending-sweeper.js';
import { STEP } from '../../src/auth/grants/owner-ending.sql.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { Telemetry } from '../../src/auth/telemetry/telemetry.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { connectionOf } from '../../src/database/pools.js';
import { addCrowd, holdSweeper, verdicts, type Crowd, type CrowdOptions } from '../support/crowd.js';
import { cancelled, untilWaiting } from '../support/locks.js';
import {
  addClient,
  basic,
  issued,
  refresh,
  stayLoggedIn,
  submit,
  type TestClient,
} from '../support/oauth.js';
import { startProcess } from '../support/process.js';
import {
  environment,
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

/**
 * Of one user: several times what is ended one by one. The long form is `ENDING_GRANTS=40000 ENDING_SAMPLES=200`, far more than
 * can be ended one by one in the time of a request; a million takes some minutes more.
 */
const GRANTS = Number(process.env.ENDING_GRANTS ?? 3_000);
const SAMPLED = Number(process.env.ENDING_SAMPLES ?? 50);
const NEW_PASSWORD = 'a purple teapot sings to nine calm owls';
/** Just too many to be ended one by one. */
const MANY = STEP + 20;

vi.setConfig({ testTimeout: 60_000 + GRANTS / 5 });

let keks: TestApp;
let other: TestApp;
let admin: string;
let client: TestClient;
let people = 0;

beforeAll(async () => {
  const settings = { MAX_SESSIONS_PER_USER: '1000000' };
  keks = await startTestApp(settings);
  other = await startTestApp(settings, { ...keks.database, close: async () => undefined });
  await keks.addUser('Boss', 'keks:admin');
  admin = await keks.login('Boss');
  client = await addClient(keks);
}, 240_000);

afterAll(async () => {
  await other.close();
  await keks.close();
});

async function sql<R = unknown>(text: string, values: unknown[] = []): Promise<R[]> {
  return (await keks.database.client.query(text, values)).rows as R[];
}

/** One with an ordinary login besides. */
async function crowd(options: CrowdOptions): Promise<Crowd & { readonly login: string }> {
  people += 1;
  const name = `Crowd ${people}`;
  await keks.addUser(name);
  return { ...(await addCrowd(keks, name, options)), login: await keks.login(name) };
}

const call = (method: string, path: string, token = admin, body?: unknown): Promise<Answer> =>
  request(keks.url, path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const endings = (userId: string): Promise<unknown[]> =>
  sql('SELECT FROM owner_endings WHERE user_id = $1', [userId]);

async function swept(userId: string): Promise<void> {
  const done = async (): Promise<void> => {
    // again and again: one that is at its end already does not hear it
    keks.app.get(EndingSweeper).wake();
    expect(await endings(userId)).toEqual([]);
  };
  await vi.waitFor(done, { timeout: 60_000, interval: 10 });
}

const all = (tokens: readonly string[], status: number): number[] => tokens.map(() => status);

const disable = ({ userId }: Crowd): Promise<Answer> =>
  call('PATCH', `/admin/users/${userId}`, admin, { disabled: true });
const revokeAll = ({ userId }: Crowd): Promise<Answer> => call('POST', `/admin/users/${userId}/revoke`);

type Way = [string, CrowdOptions['kind'], (of: Crowd & { login: string }) => Promise<Answer>];
const WAYS: Way[] = [
  ['disabling the user', 'login', disable],
  ['POST /admin/users/:id/revoke', 'api_key', revokeAll],
  ['DELETE /sessions', 'login', ({ login }) => call('DELETE', '/sessions', login)],
  [
    'PUT /password',
    'login',
    ({ login }) =>
      call('PUT', '/password', login, { old_password: PASSWORD, new_password: NEW_PASSWORD, keys: false }),
  ],
  [
    'keks user passwd --keys',
    'api_key',
    async ({ name }) => {
      const made = await keks.app.get(UsersService).setPassword(name, NEW_PASSWORD, true, OPERATOR);
      return { status: 'changed' in made ? 200 : 500, headers: new Headers(), body: undefined };
    },
  ],
  [
    'narrowing the scope',
    'login',
    ({ userId }) => call('PATCH', `/admin/users/${userId}`, admin, { scope: '' }),
  ],
];

describe(`of a user with ${GRANTS} living grants`, () => {
  it.each(WAYS)('%s ends all, at both instances, when it is answered', async (_, kind, end) => {
    const one = await crowd({ kind: kind ?? 'login', count: GRANTS, sampled: SAMPLED });
    expect(await verdicts(other.url, one.tokens)).toEqual(all(one.tokens, 200));
    // the answer is what counts here: the rows have time
    const release = await holdSweeper(keks, one.userId);
    const began = performance.now();
    const { status } = await end(one);
    if (process.env.ENDING_GRANTS) console.log(_, Math.round(performance.now() - began), 'ms');
    expect([200, 204]).toContain(status);
    const seen = await Promise.all([verdicts(other.url, one.tokens), verdicts(keks.url, one.tokens)]);
    expect(seen).toEqual([all(one.tokens, 401), all(one.tokens, 401)]);
    // let go first: the sweeper has the ending's row as long as it waits for the grant
    await release();
    await sql('DELETE FROM owner_endings WHERE user_id = $1', [one.userId]);
  });
});

describe('an ending', () => {
  it('is none of an ordinary account: its grants end one by one, in the same transaction', async () => {
    const one = await crowd({ count: STEP - 1, sampled: 0 });
    const before = keks.app.get(Telemetry).revocations.grant;
    await sql('BEGIN');
    expect((await revokeAll(one)).status).toBe(204);
    await sql('COMMIT');
    expect(await endings(one.userId)).toEqual([]);
    expect(keks.app.get(Telemetry).revocations.grant - before).toBe(STEP);
    expect(await sql('SELECT FROM grants WHERE user_id = $1 AND revoked_at IS NULL', [one.userId])).toEqual(
      [],
    );
  });

  it('is written into each grant afterwards, and into the audit log, as if it had been done one by one', async () => {
    const one = await crowd({ count: 3 * STEP, sampled: 5 });
    const before = keks.app.get(Telemetry).revocations.grant + other.app.get(Telemetry).revocations.grant;
    expect((await disable(one)).status).toBe(200);
    await swept(one.userId);
    const count = 3 * STEP + 6;
    const after = keks.app.get(Telemetry).revocations.grant + other.app.get(Telemetry).revocations.grant;
    expect(after - before).toBe(count);
    const rows = await sql(
      `SELECT a.actor, a.ip, a.detail, count(*)::int, count(DISTINCT a.grant_id)::int AS grants,
              bool_and(a.created_at = g.revoked_at AND a.request_id = e.request_id) AS one
         FROM audit_events a JOIN grants g ON g.id = a.grant_id AND g.revoked_reason = 'user_disabled'
         JOIN audit_events e ON e.type = 'user.disabled' AND e.detail ->> 'user' = $2
        WHERE a.type = 'grant.revoked' AND g.user_id = $1 GROUP BY a.actor, a.ip, a.detail`,
      [one.userId, one.name],
    );
    const detail = { kind: 'login', reason: 'user_disabled' };
    expect(rows).toEqual([{ actor: 'user:Boss', ip: '127.0.0.1', detail, count, grants: count, one: true }]);
    expect(await verdicts(other.url, one.tokens)).toEqual(all(one.tokens, 401));
    const notes = await sql(
      'SELECT FROM ended_grants e JOIN grants g ON g.id = e.grant_id WHERE g.user_id = $1',
      [one.userId],
    );
    expect(notes).toHaveLength(count);
  });

  it('of nobody else: others are validated in one statement and live', async () => {
    const one = await crowd({ count: MANY });
    const release = await holdSweeper(keks, one.userId);
    expect((await revokeAll(one)).status).toBe(204);
    expect((await get(keks.url, '/cookies', await keks.login('Boss', 'keks:account'))).status).toBe(403);
    expect((await call('GET', '/admin/grants?limit=1')).status).toBe(200);
    await release();
  });

  it('leaves what is issued after it alive, before it is swept and afterwards', async () => {
    const one = await crowd({ count: MANY, sampled: 2 });
    const release = await holdSweeper(keks, one.userId);
    expect((await revokeAll(one)).status).toBe(204);
    const login = await keks.login(one.name);
    const key = (await call('POST', '/keys', login, { label: 'x', password: PASSWORD })).body as {
      key: string;
    };
    const living = [await keks.login(one.name, 'cookies:eat'), key.key];
    expect(await verdicts(other.url, [...living, ...one.tokens, one.login])).toEqual([
      200, 200, 401, 401, 401,
    ]);
    const sessions = (await call('GET', '/sessions', login)).body as { items: unknown[] };
    expect(sessions.items).toHaveLength(2);
    await release();
    await swept(one.userId);
    expect(await verdicts(other.url, [...living, ...one.tokens, one.login])).toEqual([
      200, 200, 401, 401, 401,
    ]);
  });

  it('of logins leaves keys alive; of the others leaves the login alive that asks', async () => {
    const one = await crowd({ count: MANY, sampled: 2 });
    const keys = await addCrowd(keks, one.name, { kind: 'api_key', count: 0, sampled: 2 });
    const release = await holdSweeper(keks, one.userId);
    const change = { old_password: PASSWORD, new_password: NEW_PASSWORD, keys: false };
    expect((await call('PUT', '/password', one.login, change)).status).toBe(204);
    const asked = [...keys.tokens, one.login, ...one.tokens];
    expect(await verdicts(other.url, asked)).toEqual([200, 200, 200, 401, 401]);
    expect((await call('DELETE', '/sessions', one.login)).status).toBe(204);
    expect(await verdicts(other.url, asked)).toEqual([200, 200, 401, 401, 401]);
    await release();
    await swept(one.userId);
    expect(await verdicts(other.url, asked)).toEqual([200, 200, 401, 401, 401]);
    const [ended] = await sql(
      `SELECT count(*) FILTER (WHERE revoked_reason = 'password_changed')::int AS first,
              count(*) FILTER (WHERE revoked_reason = 'sessions_revoked')::int AS second FROM grants WHERE user_id = $1`,
      [one.userId],
    );
    expect(ended).toEqual({ first: MANY + 2, second: 1 });
  });

  it('of those that may do too much leaves the others alive', async () => {
    const one = await crowd({ count: MANY, sampled: 2 });
    const narrow = await addCrowd(keks, one.name, { count: 3, sampled: 2, scope: 'keks:account' });
    const release = await holdSweeper(keks, one.userId);
    expect((await call('PATCH', `/admin/users/${one.userId}`, admin, { scope: '' })).status).toBe(200);
    // 403: alive, and may not eat
    const asked = [...narrow.tokens, ...one.tokens];
    expect(await verdicts(other.url, asked)).toEqual([403, 403, 401, 401]);
    await release();
    await swept(one.userId);
    expect(await verdicts(other.url, asked)).toEqual([403, 403, 401, 401]);
    const left = await sql('SELECT FROM grants WHERE user_id = $1 AND revoked_at IS NULL', [one.userId]);
    expect(left).toHaveLength(5);
  });

  it('does not wait for somebody who holds one of the grants', async () => {
    const one = await crowd({ count: 2, sampled: 2 });
    const release = await holdSweeper(keks, one.userId);
    expect((await cancelled(keks.database, disable(one))).status).toBe(200);
    expect(await verdicts(other.url, [...one.tokens, one.login])).toEqual([401, 401, 401]);
    expect(await endings(one.userId)).toHaveLength(1);
    await release();
    await swept(one.userId);
    expect(await verdicts(other.url, [...one.tokens, one.login])).toEqual([401, 401, 401]);
  });

  it('that cannot be swept does not hold up the others', async () => {
    const [held, free] = [await crowd({ count: MANY }), await crowd({ count: MANY })];
    const release = await holdSweeper(keks, held.userId);
    expect((await disable(held)).status).toBe(200);
    expect((await disable(free)).status).toBe(200);
    // once its statement's time is over, as the server says
    await cancelled(keks.database, swept(free.userId));
    expect(await endings(held.userId)).toHaveLength(1);
    await release();
    await swept(held.userId);
  });

  it('counts once committed, and never if it is not', async () => {
    const one = await crowd({ count: 1, sampled: 1 });
    await sql('BEGIN');
    await sql('UPDATE users SET disabled_at = now() WHERE id = $1', [one.userId]);
    expect(await verdicts(other.url, one.tokens)).toEqual([200]);
    await sql('ROLLBACK');
    expect(await verdicts(other.url, one.tokens)).toEqual([200]);
  });

  it('goes on elsewhere when the one that sweeps is killed in the middle', async () => {
    const one = await crowd({ count: 5 * STEP, sampled: 5 });
    const count = 5 * STEP + 6;
    const left = async (): Promise<number> =>
      (await sql('SELECT FROM grants WHERE user_id = $1 AND revoked_at IS NULL', [one.userId])).length;
    const server = await startProcess(environment(keks.database.url));
    // two steps, and the third waits
    const release = await holdSweeper(keks, one.userId, 2 * STEP);
    try {
      const answer = await fetch(`${server.url}/admin/users/${one.userId}/revoke`, {
        method: 'POST',
        headers: { authorization: `Bearer ${admin}` },
      });
      expect(answer.status).toBe(204);
      await vi.waitFor(async () => expect(await left()).toBe(count - 2 * STEP), {
        timeout: 90_000,
        interval: 10,
      });
      await untilWaiting(keks.database);
    } finally {
      await server.stop('SIGKILL');
      await release();
    }
    expect(await left()).toBe(count - 2 * STEP);
    expect(await verdicts(other.url, one.tokens)).toEqual(all(one.tokens, 401));
    await swept(one.userId);
    expect(await left()).toBe(0);
    const events = await sql(
      `SELECT FROM audit_events a JOIN grants g ON g.id = a.grant_id
        WHERE a.type = 'grant.revoked' AND g.user_id = $1`,
      [one.userId],
    );
    expect(events).toHaveLength(count);
  });
});

describe('while grants have ended and their rows do not say so', () => {
  let one: Crowd & { readonly login: string };
  let key: { readonly id: string; readonly key: string };
  let stay: { readonly refresh_token: string; readonly token: string };
  let grant: string;
  let release: () => Promise<void>;

  beforeAll(async () => {
    one = await crowd({ count: MANY });
    stay = await stayLoggedIn(keks, one.name);
    key = (await call('POST', '/keys', one.login, { label: 'oven', password: PASSWORD })).body as typeof key;
    const { items } = (await call('GET', '/sessions', one.login)).body as { items: { id: string }[] };
    grant = items[0]?.id ?? '';
    release = await holdSweeper(keks, one.userId);
    expect((await revokeAll(one)).status).toBe(204);
  });

  afterAll(async () => {
    expect(await endings(one.userId)).toHaveLength(1);
    await release();
    await swept(one.userId);
  });

  it('no list shows them, to the operator or to the user', async () => {
    const list = async (path: string, token?: string): Promise<unknown[]> =>
      ((await call('GET', path, token)).body as { items: unknown[] }).items;
    expect(await list(`/admin/grants?user_id=${one.userId}`)).toEqual([]);
    expect(JSON.stringify(await list('/admin/grants?limit=100'))).not.toContain(one.userId);
    const login = await keks.login(one.name);
    expect(await list('/sessions?limit=100', login)).toHaveLength(1);
    expect(await list('/keys', login)).toEqual([]);
  });

  it('single ones are not there to be ended', async () => {
    const login = await keks.login(one.name);
    expect((await call('DELETE', `/admin/grants/${grant}`)).status).toBe(404);
    expect((await call('DELETE', `/sessions/${grant}`, login)).status).toBe(404);
    expect((await call('DELETE', `/keys/${key.id}`, login)).status).toBe(404);
  });

  it('their tokens are refused everywhere: at the API, /validate, introspection, refresh', async () => {
    for (const token of [stay.token, key.key, one.login]) {
      expect((await get(other.url, '/cookies', token)).status).toBe(401);
      expect((await post(other.url, '/validate', { token })).status).toBe(401);
      expect((await submit(other.url, '/oauth/introspect', { token }, basic(client))).body).toEqual({
        active: false,
      });
    }
    expect((await refresh(other, stay.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await post(other.url, '/revoke', { token: stay.token })).status).toBe(200);
  });

  it('their story tells when they ended, why, and by whom', async () => {
    const { body } = await call('POST', '/admin/tokens/story', admin, { token: key.key });
    expect(body).toMatchObject({
      grant: { revoked_reason: 'user_revoked', revoked_at: expect.any(String) },
      token: { refused_because: ['grant_revoked'] },
    });
    const { events, grant: told } = body as { events: unknown[]; grant: object };
    expect(events).toContainEqual(
      expect.objectContaining({ what: 'grant.revoked', by: 'user:Boss', reason: 'user_revoked' }),
    );
    expect(told).not.toHaveProperty('ended_by');
  });
});

describe('beside an ending', () => {
  /** Both wait for the user's row, in this order. */
  async function inOrder<A, B>(
    userId: string,
    first: () => Promise<A>,
    second: () => Promise<B>,
  ): Promise<[A, B]> {
    const holder = new Client(connectionOf(keks.database.url));
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
    const waiting = async (count: number): Promise<void> =>
      vi
        .waitFor(
          async () => {
            const rows = await sql(
              `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
            );
            expect(rows).toHaveLength(count);
          },
          { timeout: 300, interval: 5 },
        )
        .catch(() => undefined);
    const one = first();
    await waiting(1);
    const two = second();
    await waiting(2);
    await holder.query('COMMIT');
    await holder.end();
    return Promise.all([one, two]);
  }

  const issue = (name: string): Promise<Answer> =>
    post(other.url, '/issue', { user: name, password: PASSWORD, scope: 'cookies:eat' });

  /** On a busy machine a lock may be waited for too long: 503, and nothing has been done. */
  async function both(first: 'login' | 'end'): Promise<string> {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const one = await crowd({ count: MANY });
      const ends = (): Promise<Answer> => revokeAll(one);
      const logsIn = (): Promise<Answer> => issue(one.name);
      const answers =
        first === 'login' ? await inOrder(one.userId, logsIn, ends) : await inOrder(one.userId, ends, logsIn);
      const [login, ended] = first === 'login' ? answers : answers.toReversed();
      if (login?.status === 200 && ended?.status === 204) return (login.body as { token: string }).token;
      expect([login?.status, ended?.status]).toContain(503);
    }
    throw new Error('it never worked');
  }

  it('a login that came before it is dead, and one that came after it lives', async () => {
    expect(await verdicts(other.url, [await both('login')])).toEqual([401]);
    expect(await verdicts(other.url, [await both('end')])).toEqual([200]);
  });

  it('a key that a dying login asks for is not made', async () => {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const one = await crowd({ count: MANY });
      const makeKey = () => call('POST', '/keys', one.login, { label: 'x', password: PASSWORD });
      const [ended, key] = await inOrder(one.userId, () => revokeAll(one), makeKey);
      expect([401, 503]).toContain(key.status);
      if (ended.status === 204 && key.status === 401) return;
    }
    throw new Error('it never worked');
  });

  it('a version before this one issues into the epoch that is', async () => {
    const one = await crowd({ count: MANY });
    const insert = () =>
      sql<{ epoch: string }>(
        `INSERT INTO grants (kind, user_id, scope, expires_at) SELECT 'login', $1, 'a', now() + interval '1 h' RETURNING epoch`,
        [one.userId],
      );
    expect(await insert()).toEqual([{ epoch: '0' }]);
    expect((await revokeAll(one)).status).toBe(204);
    expect(await insert()).toEqual([{ epoch: '1' }]);
    await swept(one.userId);
    const left = await sql('SELECT epoch FROM grants WHERE user_id = $1 AND revoked_at IS NULL', [
      one.userId,
    ]);
    expect(left).toEqual([{ epoch: '1' }]);
  });
});

describe('with psql', () => {
  it('who disables a user ends what the user has; enabling gives nothing back', async () => {
    const one = await crowd({ count: MANY, sampled: 2 });
    const keys = await addCrowd(keks, one.name, { kind: 'api_key', count: 1, sampled: 2 });
    const { token, refresh_token: renewal } = await stayLoggedIn(keks, one.name);
    const asked = [...one.tokens, ...keys.tokens, one.login, token];
    for (const disabledAt of ['now()', 'NULL']) {
      await sql(`UPDATE users SET disabled_at = ${disabledAt} WHERE id = $1`, [one.userId]);
      expect(await verdicts(other.url, asked)).toEqual(all(asked, 401));
      expect((await refresh(other, renewal)).body).toMatchObject({ error: 'invalid_grant' });
    }
    const login = await keks.login(one.name, 'cookies:eat');
    await swept(one.userId);
    expect(await verdicts(other.url, [...asked, login])).toEqual([...all(asked, 401), 200]);
    const reasons = await sql('SELECT DISTINCT revoked_reason AS why FROM grants WHERE user_id = $1', [
      one.userId,
    ]);
    expect(reasons).toEqual(expect.arrayContaining([{ why: 'user_disabled' }, { why: null }]));
  });

  it('what was already disabled, or is disabled by the program, makes no ending of its own', async () => {
    const one = await crowd({ count: 1 });
    expect((await disable(one)).status).toBe(200);
    await sql('UPDATE users SET disabled_at = now() WHERE id = $1', [one.userId]);
    expect(await endings(one.userId)).toEqual([]);
  });

  it('an ending that is made by hand ends what it says', async () => {
    const one = await crowd({ count: 1, sampled: 1 });
    await sql(
      `WITH u AS (UPDATE users SET epoch = epoch + 1 WHERE id = $1 RETURNING id, epoch)
       INSERT INTO owner_endings (user_id, epoch, kinds, ended_at, reason) SELECT id, epoch - 1, '{login}', now(), 'by hand' FROM u`,
      [one.userId],
    );
    expect(await verdicts(other.url, [...one.tokens, one.login])).toEqual([401, 401]);
    await swept(one.userId);
    expect(await verdicts(other.url, [...one.tokens, one.login])).toEqual([401, 401]);
  });
});

describe('a user who is in nobody’s way', () => {
  it('has a refreshed token that works', async () => {
    await keks.addUser('Ann');
    const stay = await stayLoggedIn(keks, 'Ann');
    const again = issued(await refresh(keks, stay.refresh_token));
    expect(await verdicts(other.url, [again.access_token])).toEqual([200]);
  });
});
