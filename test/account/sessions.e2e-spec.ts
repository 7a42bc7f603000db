import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionLabel } from '../../src/auth/account/session-label.js';
import { LastUse } from '../../src/auth/grants/last-use.js';
import { untilWaiting } from '../support/locks.js';
import {
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';
import { expectError, pages, send, tally, type Page } from '../support/wire.js';

interface Session {
  readonly id: string;
  readonly label: string | null;
  readonly user_agent: string | null;
  readonly last_used_at: string | null;
  readonly expires_at: string;
  readonly current: boolean;
}

interface Issued {
  readonly token: string;
  readonly refresh_token: string;
}

let keks: TestApp;
let people = 0;

/** Somebody of whom no other test knows. */
const somebody = async (): Promise<string> => {
  const name = `Somebody ${(people += 1)}`;
  await keks.addUser(name);
  return name;
};
const list = async (token: string, query = ''): Promise<Page<Session>> => {
  const answer = await get(keks.url, `/sessions${query}`, token);
  expect(answer.status).toBe(200);
  return answer.body as Page<Session>;
};
const end = (token: string, id = ''): Promise<Answer> =>
  send(keks.url, 'DELETE', id ? `/sessions/${id}` : '/sessions', token);
const status = async (token: string): Promise<number> => (await get(keks.url, '/cookies', token)).status;
const currentId = async (token: string): Promise<string> =>
  (await list(token, '?limit=100')).items.find((item) => item.current)?.id ?? 'none';
const refresh = (token: string): Promise<Answer> =>
  request(keks.url, '/oauth/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
  });
const issue = async (user: string, headers: Record<string, string> = {}): Promise<Issued> =>
  (await post(keks.url, '/issue', { user, password: PASSWORD, scope: 'offline_access' }, headers))
    .body as Issued;

const makeKey = (token: string): Promise<Answer> =>
  send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD });

beforeAll(async () => {
  keks = await startTestApp();
});

afterAll(() => keks.close());

describe('GET /sessions', () => {
  it('200: where one is logged in, and which of them asks', async () => {
    const name = await somebody();
    const { token } = await issue(name, { 'user-agent': 'curl/8.5.0' });
    const { items, next } = await list(token);
    expect(next).toBeNull();
    expect(items).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        label: 'curl',
        ip: '127.0.0.1',
        user_agent: 'curl/8.5.0',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        last_used_at: null,
        expires_at: expect.any(String),
        current: true,
      },
    ]);
  });

  it('newest first, only one’s own, only living ones, and no keys', async () => {
    const [name, other] = [await somebody(), await somebody()];
    const first = await keks.login(name);
    keks.clock.advance(1);
    const second = await keks.login(name, 'cookies:eat');
    keks.clock.advance(1);
    const third = await keks.login(name);
    await keks.login(other);
    await makeKey(first);
    expect((await list(third)).items.map((item) => item.current)).toEqual([true, false, false]);
    expect(await status(second)).toBe(200);
    const { items } = await list(first);
    expect(items.map((item) => item.current)).toEqual([false, false, true]);
    await end(first, items[0]?.id);
    expect((await list(first)).items.map((item) => item.id)).toEqual(items.slice(1).map((item) => item.id));
  });

  it('a login without refresh token is over with its token; one with lives as long as SESSION_TTL', async () => {
    const name = await somebody();
    await keks.login(name);
    const long = await issue(name);
    const { items } = await list(long.token);
    const lives = items.map((item) => Math.round((Date.parse(item.expires_at) - keks.clock.now()) / 1_000));
    expect(lives.sort((a, b) => a - b)).toEqual([
      expect.closeTo(keks.config.ACCESS_TOKEN_TTL, -1),
      expect.closeTo(keks.config.SESSION_TTL, -1),
    ]);
    keks.clock.advance(keks.config.ACCESS_TOKEN_TTL);
    const { access_token: token } = (await refresh(long.refresh_token)).body as { access_token: string };
    expect((await list(token)).items).toEqual([expect.objectContaining({ current: true })]);
  });

  it('shows when a login was last used, collected off the path', async () => {
    const token = await keks.login(await somebody());
    expect(await status(token)).toBe(200);
    await keks.app.get(LastUse).flush();
    const [item] = (await list(token)).items;
    expect(Math.abs(Date.parse(item?.last_used_at ?? '') - keks.clock.now())).toBeLessThan(5_000);
  });

  it('?limit= and ?cursor=: each login once, whoever logs in and out meanwhile', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    for (let at = 0; at < 6; at += 1) await keks.login(name);
    const ids = (await list(token)).items.map((item) => item.id);
    const found = await pages<Session>(keks.url, '/sessions?limit=3', token, async () => {
      await end(token, await currentId(await keks.login(name)));
      await keks.login(name);
    });
    expect(found.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(found.flat().map((item) => item.id)).toEqual(ids);
  });

  it('400: a cursor of another list, of somebody else, or made up', async () => {
    const [name, other] = [await somebody(), await somebody()];
    const token = await keks.login(name);
    await keks.login(name);
    for (const label of ['a', 'b'])
      await send(keks.url, 'POST', '/keys', token, { label, password: PASSWORD });
    const { next } = await list(token, '?limit=1');
    const keys = (await get(keks.url, '/keys?limit=1', token)).body as Page<object>;
    expect(keys.next).not.toBeNull();
    expectError(await get(keks.url, `/sessions?cursor=${keys.next}`, token), 400, 'invalid_request');
    expectError(await get(keks.url, `/sessions?cursor=${next}x`, token), 400, 'invalid_request');
    const foreign = await keks.login(other);
    expectError(await get(keks.url, `/sessions?cursor=${next}`, foreign), 400, 'invalid_request');
  });
});

describe('DELETE /sessions/:id', () => {
  it('204: the login is over at once, with its access and its refresh token', async () => {
    const name = await somebody();
    const doomed = await issue(name);
    const token = await keks.login(name);
    const answer = await end(token, await currentId(doomed.token));
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(await status(doomed.token)).toBe(401);
    expectError(await refresh(doomed.refresh_token), 400, 'invalid_grant');
    expect(await status(token)).toBe(200);
  });

  it('204: one’s own', async () => {
    const token = await keks.login(await somebody());
    expect((await end(token, await currentId(token))).status).toBe(204);
    expect(await status(token)).toBe(401);
  });

  it('404: somebody else’s login, which lives on', async () => {
    const [mine, theirs] = [await keks.login(await somebody()), await keks.login(await somebody())];
    expectError(await end(mine, await currentId(theirs)), 404, 'not_found');
    expect(await status(theirs)).toBe(200);
  });

  it('404: one’s own key is no login', async () => {
    const token = await keks.login(await somebody());
    const key = (await makeKey(token)).body as {
      id: string;
      key: string;
    };
    expectError(await end(token, key.id), 404, 'not_found');
    expect(await status(key.key)).toBe(200);
  });

  it.each(['5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11', 'current', '%00', 'x'.repeat(5_000)])(
    '404: %s',
    async (id) => {
      expectError(await end(await keks.login(await somebody()), id), 404, 'not_found');
    },
  );

  it('204 once of 50 at the same time, 404 for the others; one line in the audit log', async () => {
    const name = await somebody();
    const [token, id] = [await keks.login(name), await currentId(await keks.login(name))];
    const answers = await Promise.all(Array.from({ length: 50 }, () => end(token, id)));
    expect(tally(answers)).toEqual({ 204: 1, 404: 49 });
    const { rows } = await keks.database.client.query(
      `SELECT actor, detail FROM audit_events WHERE grant_id = $1 AND type = 'grant.revoked'`,
      [id],
    );
    expect(rows).toEqual([{ actor: `user:${name}`, detail: { kind: 'login', reason: 'session_revoked' } }]);
  });
});

describe('DELETE /sessions', () => {
  it('204: logged out everywhere, here too; keys and other people live on', async () => {
    const [name, other] = [await somebody(), await somebody()];
    const [first, second] = [await keks.login(name), await issue(name)];
    const bystander = await keks.login(other);
    const { key } = (await makeKey(first)).body as { key: string };
    const answer = await end(first);
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect([await status(first), await status(second.token)]).toEqual([401, 401]);
    expectError(await refresh(second.refresh_token), 400, 'invalid_grant');
    expect([await status(key), await status(bystander)]).toEqual([200, 200]);
    expect(await status(await keks.login(name))).toBe(200);
  });

  it.each([
    ['?keys=true', 401],
    ['?keys=false', 200],
  ])('204: %s: a key answers %d afterwards', async (query, code) => {
    const token = await keks.login(await somebody());
    const { key } = (await makeKey(token)).body as { key: string };
    expect((await send(keks.url, 'DELETE', `/sessions${query}`, token)).status).toBe(204);
    expect([await status(token), await status(key)]).toEqual([401, code]);
  });

  it.each(['?keys=', '?keys=1', '?keys=yes', '?keys=true&keys=true', '?keys=TRUE', '?keys[]=true&keys='])(
    '400, and nothing ends: %s',
    async (query) => {
      const token = await keks.login(await somebody());
      expectError(await send(keks.url, 'DELETE', `/sessions${query}`, token), 400, 'invalid_request');
      expect(await status(token)).toBe(200);
    },
  );

  it('tells the audit log of each login that it ended, and of the whole', async () => {
    const name = await somebody();
    const [first, second] = [await keks.login(name), await keks.login(name)];
    const ids = [await currentId(first), await currentId(second)].sort();
    await end(first);
    const { rows } = await keks.database.client.query(
      `SELECT type, grant_id, ip, detail FROM audit_events
        WHERE actor = $1 AND type <> 'token.issued' ORDER BY type, grant_id`,
      [`user:${name}`],
    );
    expect(rows).toEqual([
      ...ids.map((id) => ({
        type: 'grant.revoked',
        grant_id: id,
        ip: '127.0.0.1',
        detail: { kind: 'login', reason: 'sessions_revoked' },
      })),
      {
        type: 'user.sessions_revoked',
        grant_id: null,
        ip: '127.0.0.1',
        detail: { user: name, user_id: expect.any(String), grants: 2, keys: false },
      },
    ]);
  });

  it('race: a login that ends while it waits for its user’s row makes no key any more', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    const { client } = keks.database;
    await client.query('BEGIN');
    await client.query('SELECT FROM users WHERE name = $1 FOR NO KEY UPDATE', [name]);
    const asked = Array.from({ length: 5 }, () => makeKey(token));
    // the others wait for their turn in the process
    await untilWaiting(keks.database, 1);
    await client.query(
      'UPDATE grants SET revoked_at = now() FROM users u WHERE u.id = user_id AND u.name = $1',
      [name],
    );
    await client.query('COMMIT');
    for (const answer of await Promise.all(asked)) expectError(answer, 401, 'invalid_token');
    const { rows } = await client.query(
      `SELECT g.id FROM grants g JOIN users u ON u.id = g.user_id WHERE u.name = $1 AND g.kind = 'api_key'`,
      [name],
    );
    expect(rows).toEqual([]);
  });
});

describe.each([
  ['GET', '/sessions'],
  ['DELETE', '/sessions'],
  ['DELETE', '/sessions/5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11'],
] as const)('%s %s', (method, path) => {
  it('401 without a token, 403 for one without keks:account and for a key', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    const { key } = (await makeKey(token)).body as { key: string };
    expectError(await send(keks.url, method, path, undefined), 401, 'unauthorized');
    expectError(await send(keks.url, method, path, key), 403, 'insufficient_scope');
    const narrow = await keks.login(name, 'cookies:eat');
    expectError(await send(keks.url, method, path, narrow), 403, 'insufficient_scope');
    expect(await status(token)).toBe(200);
  });
});

describe('the label of a login', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
      'Chrome on Android',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari on iOS',
    ],
    ['PostmanRuntime/7.43.0', 'PostmanRuntime'],
    ['node', 'node'],
    ['', null],
    [null, null],
  ])('%s: %s', (userAgent, label) => expect(sessionLabel(userAgent)).toBe(label));
});
