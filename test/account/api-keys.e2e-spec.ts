import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LastUse } from '../../src/auth/grants/last-use.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { get, PASSWORD, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { expectError, pages, send, tally, type Page } from '../support/wire.js';

interface Key {
  readonly id: string;
  readonly key: string;
  readonly label: string;
  readonly scope: string;
  readonly expires_at: string;
}

const DAY = 86_400;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

let keks: TestApp;
/** Tokens of two people. */
let ann: string;
let ben: string;

const make = (token: string, body: object): Promise<Answer> =>
  send(keks.url, 'POST', '/keys', token, { password: PASSWORD, ...body });
const made = async (token: string, body: object): Promise<Key> => {
  const answer = await make(token, body);
  expect(answer.status).toBe(201);
  return answer.body as Key;
};
const list = async (token: string, query = ''): Promise<Page<Key>> =>
  (await get(keks.url, `/keys${query}`, token)).body as Page<Key>;
const revoke = (token: string, id: string): Promise<Answer> => send(keks.url, 'DELETE', `/keys/${id}`, token);
const eats = async (key: string): Promise<number> => (await get(keks.url, '/cookies', key)).status;
const secondsUntil = (time: string): number => Math.round((Date.parse(time) - keks.clock.now()) / 1_000);

beforeAll(async () => {
  keks = await startTestApp({ LOGIN_FAILURES_PER_ACCOUNT: '10' });
  await keks.addUser('Ann', 'cookies:eat cookies:bake');
  await keks.addUser('Ben');
  ann = await keks.login('Ann');
  ben = await keks.login('Ben');
});

afterAll(() => keks.close());

describe('POST /keys', () => {
  it('201: a key with all that its owner was granted, for 90 days, which eats cookies', async () => {
    const answer = await make(ann, { label: 'night baker' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      id: expect.stringMatching(UUID),
      key: expect.stringMatching(/^kak_[A-Za-z0-9_-]{48}[0-9A-Za-z]{6}$/),
      label: 'night baker',
      scope: 'cookies:eat cookies:bake',
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const { key, expires_at: expiresAt } = answer.body as Key;
    expect(secondsUntil(expiresAt) / DAY).toBeCloseTo(90, 3);
    expect(await eats(key)).toBe(200);
    expect((await post(keks.url, '/validate', { token: key })).status).toBe(200);
  });

  it('201: with less scope and a time of its own; the key ends with it, to the second', async () => {
    const key = await made(ann, { label: 'short', scope: 'cookies:eat', expires_in: 60 });
    expect(key.scope).toBe('cookies:eat');
    expect(secondsUntil(key.expires_at)).toBeLessThanOrEqual(60);
    keks.clock.advance(58);
    expect(await eats(key.key)).toBe(200);
    keks.clock.advance(2);
    expect(await eats(key.key)).toBe(401);
    expect((await list(ann)).items.map((item) => item.id)).not.toContain(key.id);
    expectError(await revoke(ann, key.id), 404, 'not_found');
  });

  it('201: for 10 years, and not a second more', async () => {
    const longest = 3_650 * DAY;
    const { expires_at: expiresAt } = await made(ann, { label: 'long', expires_in: longest });
    expect(secondsUntil(expiresAt)).toBeGreaterThan(longest - 5);
    expectError(await make(ann, { label: 'longer', expires_in: longest + 1 }), 400, 'invalid_request');
  });

  it.each([0, -1, 1.5, '60', null, true, []])('400: expires_in %j', async (expiresIn) => {
    expectError(await make(ann, { label: 'x', expires_in: expiresIn }), 400, 'invalid_request');
  });

  it.each([
    '',
    ' ',
    'a\nb',
    'a\tb',
    '\u007f',
    '\u2028',
    '\u202eexe',
    'x'.repeat(101),
    7,
    null,
    undefined,
    [],
  ])('400: label %j', async (label) => expectError(await make(ann, { label }), 400, 'invalid_request'));

  it.each(['x'.repeat(100), '🍪'.repeat(100), "Ann's 👩‍🍳 key"])('201: label %s', async (label) => {
    expect((await made(ann, { label })).label).toBe(label);
  });

  it.each([undefined, null, '', 7, [PASSWORD], 'x'.repeat(1_025)])('400: password %j', async (password) =>
    expectError(await make(ann, { label: 'x', password }), 400, 'invalid_request'),
  );

  it.each([{ scope: 'a  b' }, { scope: 'keks:admin' }, {}])(
    '401 invalid_credentials: a wrong password, with the challenge of a login, whatever else is wrong: %j',
    async (more) => {
      const before = (await list(ben, '?limit=100')).items;
      const answer = await make(ben, { label: 'x', password: `${PASSWORD}.`, ...more });
      expectError(answer, 401, 'invalid_credentials');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="CookieFactory"');
      expect((await list(ben, '?limit=100')).items).toEqual(before);
      expect((await get(keks.url, '/cookies', ben)).status).toBe(200);
    },
  );

  it('counts as a login attempt: 429 after as many as at POST /issue, for a right one too, and there as well', async () => {
    await keks.addUser('Guessed');
    const token = await keks.login('Guessed');
    for (let at = 0; at < keks.config.LOGIN_FAILURES_PER_ACCOUNT; at += 1)
      expect((await make(token, { label: 'x', password: 'wrong' })).status).toBe(401);
    const refused = await make(token, { label: 'x' });
    expectError(refused, 429, 'too_many_requests');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await post(keks.url, '/issue', { user: 'Guessed', password: PASSWORD })).status).toBe(429);
    const { rows } = await keks.database.client.query(
      `SELECT DISTINCT type, detail FROM audit_events WHERE detail->>'user' = 'Guessed' AND type = 'login.refused'`,
    );
    expect(rows).toEqual([{ type: 'login.refused', detail: { user: 'Guessed', reason: 'wrong_password' } }]);
    keks.clock.advance(keks.config.LOGIN_FAILURE_WINDOW);
    const fresh = await keks.login('Guessed');
    expect((await make(fresh, { label: 'x' })).status).toBe(201);
  });

  it('a right password clears the count, as a login does', async () => {
    await keks.addUser('Forgetful');
    const token = await keks.login('Forgetful');
    for (let at = 0; at < 2 * keks.config.LOGIN_FAILURES_PER_ACCOUNT; at += 1) {
      const password = at % 2 === 0 ? 'wrong' : PASSWORD;
      expect((await make(token, { label: 'x', password })).status).toBe(at % 2 === 0 ? 401 : 201);
    }
  });

  it('the password of somebody else, named in the body or not, is a wrong one', async () => {
    await keks.addUser('Other', 'cookies:eat', 'a purple teapot sings to nine calm owls');
    const other = await keks.login('Other', undefined, 'a purple teapot sings to nine calm owls');
    for (const user of [undefined, 'Ann'])
      expectError(await make(other, { label: 'x', user, username: user }), 401, 'invalid_credentials');
  });

  it.each([
    'keks:account',
    'keks:admin',
    'cookies:eat keks:account',
    'offline_access',
    '',
    'a  b',
    'Cookies:eat',
  ])('400 invalid_scope: %j is not the owner’s to give', async (scope) =>
    expectError(await make(ann, { label: 'x', scope }), 400, 'invalid_scope'),
  );

  it('400 invalid_scope: what somebody else was granted', async () => {
    expectError(await make(ben, { label: 'x', scope: 'cookies:bake' }), 400, 'invalid_scope');
  });

  it('takes nothing from the body but what it documents: never an owner', async () => {
    const { id } = await made(ben, { label: 'x', user_id: 'Ann', userId: 'Ann', subject: 'Ann', sub: 'Ann' });
    expect((await list(ben)).items.map((item) => item.id)).toContain(id);
  });

  it('stores no key, only its SHA-256', async () => {
    const { id, key } = await made(ann, { label: 'at rest' });
    const { rows } = await keks.database.client.query(
      `SELECT digest = sha256($2::bytea) AS digest, g.kind, g.label, g.scope FROM api_keys k
         JOIN grants g ON g.id = k.grant_id WHERE g.id = $1`,
      [id, Buffer.from(key)],
    );
    expect(rows).toEqual([
      { digest: true, kind: 'api_key', label: 'at rest', scope: 'cookies:eat cookies:bake' },
    ]);
  });

  it('writes who made it into the audit log, in the same statement, without the key', async () => {
    const { id, key } = await made(ann, { label: 'told' });
    const { rows } = await keks.database.client.query('SELECT * FROM audit_events WHERE grant_id = $1', [id]);
    expect(rows).toEqual([
      expect.objectContaining({
        type: 'api_key.issued',
        actor: 'user:Ann',
        ip: '127.0.0.1',
        request_id: expect.any(String),
        token_id: expect.stringMatching(UUID),
        detail: { label: 'told', scope: 'cookies:eat cookies:bake', expires_at: expect.any(String) },
      }),
    ]);
    expect(JSON.stringify(rows)).not.toContain(key.slice(4, 20));
  });
});

describe.each([
  ['POST', '/keys'],
  ['GET', '/keys'],
  ['DELETE', '/keys/5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11'],
] as const)('%s %s', (method, path) => {
  const body = method === 'POST' ? { label: 'x' } : undefined;

  it('401 without a token', async () => {
    expectError(await send(keks.url, method, path, undefined, body), 401, 'unauthorized');
  });

  it('403 for a login that may not touch the account; the challenge names the scope', async () => {
    const answer = await send(keks.url, method, path, await keks.login('Ann', 'cookies:eat'), body);
    expectError(answer, 403, 'insufficient_scope');
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="CookieFactory", error="insufficient_scope".*scope="keks:account", resource_metadata="[^"]+"$/,
    );
  });

  it('403 for a key: a key cannot make keys', async () => {
    const { key } = await made(ann, { label: 'ambitious' });
    expectError(await send(keks.url, method, path, key, body), 403, 'insufficient_scope');
  });

  it('403 for a key even if its grant says that it may (somebody edited the table)', async () => {
    const { id, key } = await made(ann, { label: 'edited' });
    await keks.database.client.query(`UPDATE grants SET scope = 'keks:account' WHERE id = $1`, [id]);
    const answer = await send(keks.url, method, path, key, body);
    expectError(answer, 403, 'insufficient_scope');
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer realm=.*scope="keks:account", resource_metadata="[^"]+"$/,
    );
  });
});

describe('GET /keys', () => {
  beforeAll(async () => {
    await keks.addUser('Lister');
    await keks.addUser('Nobody');
  });

  it('200: nothing yet', async () => {
    const answer = await get(keks.url, '/keys', await keks.login('Nobody'));
    expect([answer.status, answer.body]).toEqual([200, { items: [], next: null }]);
  });

  it('200: one’s own living keys, newest first, never the key itself', async () => {
    const lister = await keks.login('Lister');
    const first = await made(lister, { label: 'first' });
    keks.clock.advance(1);
    const second = await made(lister, { label: 'second' });
    const { items } = await list(lister);
    expect(items.map((item) => item.id)).toEqual([second.id, first.id]);
    expect(items[0]).toEqual({
      id: second.id,
      label: 'second',
      scope: 'cookies:eat',
      created_at: expect.any(String),
      last_used_at: null,
      expires_at: second.expires_at,
    });
  });

  it('shows when a key was last used, collected off the path', async () => {
    const lister = await keks.login('Lister');
    const { id, key } = await made(lister, { label: 'used' });
    keks.clock.freeze();
    expect(await eats(key)).toBe(200);
    await keks.app.get(LastUse).flush();
    const found = (await list(lister)).items.find((item) => item.id === id) as unknown as {
      last_used_at: string;
    };
    expect(Math.abs(secondsUntil(found.last_used_at))).toBeLessThan(5);
    keks.clock.thaw();
  });

  it('?limit= and ?cursor=: every key once, whatever is made and revoked meanwhile', async () => {
    await keks.addUser('Pager');
    const pager = await keks.login('Pager');
    const ids: string[] = [];
    for (let at = 0; at < 7; at += 1) ids.unshift((await made(pager, { label: `key ${at}` })).id);
    const found = await pages<Key>(keks.url, '/keys?limit=2', pager, async () => {
      const { id } = await made(pager, { label: 'in between' });
      await revoke(pager, id);
      await made(pager, { label: 'newer than all of them' });
    });
    expect(found.map((page) => page.length)).toEqual([2, 2, 2, 1]);
    expect(found.flat().map((item) => item.id)).toEqual(ids);
  });

  it('?limit=100 shows them all, and 20 is the default', async () => {
    const pager = await keks.login('Pager');
    for (let at = 0; at < 15; at += 1) await made(pager, { label: `key ${at}` });
    expect((await list(pager)).items).toHaveLength(20);
    const { items, next } = await list(pager, '?limit=100');
    expect(items.length).toBeGreaterThan(20);
    expect(next).toBeNull();
  });

  it.each(['0', '101', '-1', '1.5', '1e1', '0x10', '+5', '05', '', '%20', '%00', 'ten', '5&limit=6'])(
    '400: ?limit=%s',
    async (limit) => expectError(await get(keks.url, `/keys?limit=${limit}`, ann), 400, 'invalid_request'),
  );

  it('400: a forged cursor, one of another list, and one of somebody else', async () => {
    const pager = await keks.login('Pager');
    const { next } = await list(pager, '?limit=1');
    expect((await get(keks.url, `/keys?cursor=${next}`, pager)).status).toBe(200);
    for (const cursor of [
      '',
      'x',
      'null',
      '%00',
      `${next}A`,
      `A${next}`,
      next?.slice(1),
      `${next}&cursor=${next}`,
    ])
      expectError(await get(keks.url, `/keys?cursor=${cursor}`, pager), 400, 'invalid_request');
    expectError(await get(keks.url, `/keys?cursor=${next}`, ann), 400, 'invalid_request');
  });
});

describe('DELETE /keys/:id', () => {
  it('204: the key is dead at once, and gone from the list', async () => {
    const { id, key } = await made(ann, { label: 'doomed' });
    expect(await eats(key)).toBe(200);
    const answer = await revoke(ann, id);
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(await eats(key)).toBe(401);
    expect((await list(ann, '?limit=100')).items.map((item) => item.id)).not.toContain(id);
  });

  it('404: somebody else’s key, which lives on', async () => {
    const { id, key } = await made(ann, { label: 'mine' });
    expectError(await revoke(ben, id), 404, 'not_found');
    expect(await eats(key)).toBe(200);
  });

  it('404: one’s own login is no key', async () => {
    const { rows } = await keks.database.client.query<{ id: string }>(
      `SELECT g.id FROM grants g JOIN users u ON u.id = g.user_id WHERE u.name = 'Ben' AND g.kind = 'login'`,
    );
    for (const { id } of rows) expectError(await revoke(ben, id), 404, 'not_found');
    expect((await get(keks.url, '/cookies', ben)).status).toBe(200);
  });

  it.each([
    '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11',
    'x',
    '%00',
    'null',
    '5b1cde0e9a4b4a559e0b3f6d6f1f0c11',
    '{5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11}',
    "5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c1'",
    'x'.repeat(5_000),
  ])('404: %s is nobody’s', async (id) => expectError(await revoke(ann, id), 404, 'not_found'));

  it('204 once of 50 at the same time, 404 for the others; one line in the audit log', async () => {
    const { id } = await made(ann, { label: 'wanted by many' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => revoke(ann, id)));
    expect(tally(answers)).toEqual({ 204: 1, 404: 49 });
    const { rows } = await keks.database.client.query(
      `SELECT actor, detail, request_id FROM audit_events WHERE grant_id = $1 AND type = 'grant.revoked'`,
      [id],
    );
    expect(rows).toEqual([
      {
        actor: 'user:Ann',
        detail: { kind: 'api_key', reason: 'api_key_revoked' },
        request_id: expect.any(String),
      },
    ]);
  });

  it('whoever holds the key may revoke it too: POST /revoke', async () => {
    const { id, key } = await made(ann, { label: 'found in a repository' });
    expect((await post(keks.url, '/revoke', { token: key })).status).toBe(200);
    expect(await eats(key)).toBe(401);
    expectError(await revoke(ann, id), 404, 'not_found');
  });
});

describe('a key and its owner', () => {
  it('outlives the login that made it', async () => {
    const login = await keks.login('Ann');
    const { key } = await made(login, { label: 'on its own' });
    await post(keks.url, '/revoke', { token: login });
    expect(await eats(key)).toBe(200);
  });

  it('dies with its owner’s account, and does not come back with it', async () => {
    await keks.addUser('Leaver');
    const { key } = await made(await keks.login('Leaver'), { label: 'left behind' });
    await keks.app.get(UsersService).setDisabled('Leaver', true, OPERATOR);
    expect(await eats(key)).toBe(401);
    await keks.app.get(UsersService).setDisabled('Leaver', false, OPERATOR);
    expect(await eats(key)).toBe(401);
  });

  it('race: of 20 keys asked for while the owner is being disabled, none is alive afterwards (5 rounds)', async () => {
    for (let round = 0; round < 5; round += 1) {
      const name = `Racer${round}`;
      await keks.addUser(name);
      const token = await keks.login(name);
      const asked = Array.from({ length: 20 }, (_, at) => make(token, { label: `key ${at}` }));
      await new Promise((resolve) => setTimeout(resolve, round * 6));
      const disabled = keks.app.get(UsersService).setDisabled(name, true, OPERATOR);
      const [answers] = await Promise.all([Promise.all(asked), disabled]);
      for (const answer of answers) {
        // a right password of a disabled account is a failed attempt, and too many of those are 429
        expect([201, 401, 429, 503]).toContain(answer.status);
        if (answer.status === 201) expect(await eats((answer.body as Key).key)).toBe(401);
      }
      const { rows } = await keks.database.client.query(
        `SELECT g.id FROM grants g JOIN users u ON u.id = g.user_id WHERE u.name = $1 AND g.revoked_at IS NULL`,
        [name],
      );
      expect(rows).toEqual([]);
    }
  });
});
