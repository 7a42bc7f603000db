import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get, PASSWORD, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { expectError, send } from '../support/wire.js';

const NEW_PASSWORD = 'a purple teapot sings to nine calm owls';

let keks: TestApp;
let people = 0;

const somebody = async (): Promise<string> => {
  const name = `Somebody ${(people += 1)}`;
  await keks.addUser(name);
  return name;
};
const change = (token: string | undefined, body: object): Promise<Answer> =>
  send(keks.url, 'PUT', '/password', token, body);
const right = { old_password: PASSWORD, new_password: NEW_PASSWORD };
const status = async (token: string): Promise<number> => (await get(keks.url, '/cookies', token)).status;
const login = async (user: string, password: string): Promise<number> =>
  (await post(keks.url, '/issue', { user, password })).status;
const makeKey = async (token: string): Promise<string> =>
  ((await send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD })).body as { key: string })
    .key;

/** Until a statement of the server waits for a lock. */
async function untilWaiting(): Promise<void> {
  const { client } = keks.database;
  const waits = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await client.query(waits)).rows.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Of a random search; the long form is `RACE_ROUNDS=60`. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 10);

beforeAll(async () => {
  keks = await startTestApp({ LOGIN_FAILURES_PER_ACCOUNT: '10' });
});

afterAll(() => keks.close());

describe('PUT /password', () => {
  it('204: the new one works, the old one does not', async () => {
    const name = await somebody();
    const answer = await change(await keks.login(name), right);
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(await login(name, NEW_PASSWORD)).toBe(200);
    expect(await login(name, PASSWORD)).toBe(401);
  });

  it('ends the other logins and the API keys, and neither this login nor anything of anybody else’s', async () => {
    const name = await somebody();
    const [mine, other] = [await keks.login(name), await keks.login(name)];
    const bystander = await keks.login(await somebody());
    const keys = [await makeKey(mine), await makeKey(other)];
    const theirs = await makeKey(bystander);
    expect((await change(mine, right)).status).toBe(204);
    expect([await status(mine), await status(other)]).toEqual([200, 401]);
    for (const key of keys) expect(await status(key)).toBe(401);
    expect([await status(bystander), await status(theirs)]).toEqual([200, 200]);
  });

  it.each([
    [true, 401],
    [false, 200],
  ])('"keys": %j: a key answers %d afterwards', async (keys, code) => {
    const token = await keks.login(await somebody());
    const key = await makeKey(token);
    expect((await change(token, { ...right, keys })).status).toBe(204);
    expect([await status(token), await status(key)]).toEqual([200, code]);
  });

  it('401 invalid_credentials: a wrong old one, and nothing changes', async () => {
    const name = await somebody();
    const [token, other] = [await keks.login(name), await keks.login(name)];
    const answer = await change(token, { ...right, old_password: `${PASSWORD}.` });
    expectError(answer, 401, 'invalid_credentials');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="CookieFactory"');
    expect([await status(token), await status(other)]).toEqual([200, 200]);
    expect(await login(name, PASSWORD)).toBe(200);
  });

  it('counts as a login attempt: 429 after as many as at POST /issue, for a right one too, and there as well', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    for (let at = 0; at < keks.config.LOGIN_FAILURES_PER_ACCOUNT; at += 1)
      expect((await change(token, { ...right, old_password: 'wrong' })).status).toBe(401);
    const refused = await change(token, right);
    expectError(refused, 429, 'too_many_requests');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await login(name, PASSWORD)).toBe(429);
    keks.clock.advance(keks.config.LOGIN_FAILURE_WINDOW);
    expect(await login(name, PASSWORD)).toBe(200);
  });

  it.each([
    ['too short', 'cookie jar', 'weak_password'],
    ['among the first that an attacker would try', 'passwordpasswordpassword', 'weak_password'],
    ['a repeat', 'aaaaaaaaaaaaaaaaaaaaaaaa', 'weak_password'],
    ['1,025 bytes long', 'x'.repeat(1_025), 'invalid_request'],
  ])('400: a new one that is %s, and the old one stays', async (_, password, error) => {
    const name = await somebody();
    expectError(await change(await keks.login(name), { ...right, new_password: password }), 400, error);
    expect(await login(name, PASSWORD)).toBe(200);
  });

  it('400: the user’s own name, repeated', async () => {
    await keks.addUser('Bartholomew Biscuit');
    const token = await keks.login('Bartholomew Biscuit');
    const wanted = { ...right, new_password: 'bartholomew biscuit' };
    expectError(await change(token, wanted), 400, 'weak_password');
  });

  it.each([
    {},
    { old_password: PASSWORD },
    { new_password: NEW_PASSWORD },
    { ...right, old_password: '' },
    { ...right, old_password: 7 },
    { ...right, new_password: null },
    { ...right, new_password: [NEW_PASSWORD] },
    { ...right, keys: 'true' },
    { ...right, old_password: 'x'.repeat(1_025) },
  ])('400: %j', async (body) => {
    expectError(await change(await keks.login(await somebody()), body), 400, 'invalid_request');
  });

  it('changes one’s own, whoever else is named in the body', async () => {
    const [name, other] = [await somebody(), await somebody()];
    const named = { ...right, user: other, id: other, subject: other };
    expect((await change(await keks.login(name), named)).status).toBe(204);
    expect([await login(other, PASSWORD), await login(name, NEW_PASSWORD)]).toEqual([200, 200]);
  });

  it('401 without a token, 403 for one without keks:account and for a key', async () => {
    const name = await somebody();
    const key = await makeKey(await keks.login(name));
    expectError(await change(undefined, right), 401, 'unauthorized');
    expectError(await change(await keks.login(name, 'cookies:eat'), right), 403, 'insufficient_scope');
    expectError(await change(key, right), 403, 'insufficient_scope');
    expect(await login(name, PASSWORD)).toBe(200);
  });

  it('tells the audit log who, and each login that it ended; never a password', async () => {
    const name = await somebody();
    const [mine] = [await keks.login(name), await keks.login(name)];
    await change(mine, { ...right, old_password: 'not this one' });
    await change(mine, right);
    const { rows } = await keks.database.client.query<{ type: string }>(
      `SELECT type, actor, detail, ip FROM audit_events
        WHERE (actor = $1 OR detail->>'user' = $2) AND type NOT IN ('token.issued', 'user.added') ORDER BY created_at, type`,
      [`user:${name}`, name],
    );
    expect(rows).toEqual([
      {
        type: 'login.refused',
        actor: null,
        detail: { user: name, reason: 'wrong_password' },
        ip: '127.0.0.1',
      },
      {
        type: 'grant.revoked',
        actor: `user:${name}`,
        detail: { kind: 'login', reason: 'password_changed' },
        ip: '127.0.0.1',
      },
      {
        type: 'user.password_changed',
        actor: `user:${name}`,
        detail: { user: name, user_id: expect.any(String), keys: true },
        ip: '127.0.0.1',
      },
    ]);
    const all = await keks.database.client.query('SELECT * FROM audit_events');
    for (const secret of [PASSWORD, NEW_PASSWORD, 'not this one'])
      expect(JSON.stringify(all.rows)).not.toContain(secret);
  });

  it(`race: no login with the old password outlives the change (${ROUNDS} rounds against 40 logins each)`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = await somebody();
      const token = await keks.login(name);
      const before = Array.from({ length: 40 }, () =>
        post(keks.url, '/issue', { user: name, password: PASSWORD }),
      );
      await new Promise((resolve) => setTimeout(resolve, (round * 40) / ROUNDS));
      const [answers, changed] = await Promise.all([Promise.all(before), change(token, right)]);
      expect(changed.status).toBe(204);
      for (const { status: code, body } of answers) {
        expect([200, 401, 429, 503]).toContain(code);
        if (code === 200) expect(await status((body as { token: string }).token)).toBe(401);
      }
      expect(await status(token)).toBe(200);
    }
  });

  it('race: no key made with the old password outlives the change, also not one of the login that changes it (5 rounds)', async () => {
    for (let round = 0; round < 5; round += 1) {
      const token = await keks.login(await somebody());
      const asked = Array.from({ length: 20 }, () =>
        send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD }),
      );
      await new Promise((resolve) => setTimeout(resolve, round * 6));
      const [answers, changed] = await Promise.all([Promise.all(asked), change(token, right)]);
      expect(changed.status).toBe(204);
      for (const { status: code, body } of answers) {
        expect([201, 401, 429, 503]).toContain(code);
        if (code === 201) expect(await status((body as { key: string }).key)).toBe(401);
      }
      expect(await status(token)).toBe(200);
    }
  });

  it('a key that waits for the account while its password changes is not made: 503', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    const { client } = keks.database;
    await client.query('BEGIN');
    await client.query(`UPDATE users SET password_hash = password_hash || '' WHERE name = $1`, [name]);
    const waiting = send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD });
    await untilWaiting();
    await client.query(`UPDATE users SET password_hash = 'another' WHERE name = $1`, [name]);
    await client.query('COMMIT');
    expectError(await waiting, 503, 'temporarily_unavailable');
    expect((await get(keks.url, '/keys', token)).body).toEqual({ items: [], next: null });
  });

  it.each([undefined, 'jwt'])(
    'a key that waits while its token (%s) is revoked is not made: 401',
    async (format) => {
      const name = await somebody();
      const { body } = await post(keks.url, '/issue', { user: name, password: PASSWORD, format });
      const { token } = body as { token: string };
      const { client } = keks.database;
      await client.query('BEGIN');
      await client.query('SELECT FROM users WHERE name = $1 FOR NO KEY UPDATE', [name]);
      const waiting = send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD });
      await untilWaiting();
      expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
      await client.query('COMMIT');
      expectError(await waiting, 401, 'invalid_token');
      expect((await get(keks.url, '/keys', await keks.login(name))).body).toEqual({ items: [], next: null });
    },
  );

  it('a key that waits until its login has expired is not made: 401', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    const { client } = keks.database;
    await client.query('BEGIN');
    await client.query('LOCK TABLE attempt_counters IN ACCESS EXCLUSIVE MODE');
    const waiting = send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD });
    await untilWaiting();
    keks.clock.advance(3_600);
    await client.query('COMMIT');
    expectError(await waiting, 401, 'invalid_token');
    expect((await get(keks.url, '/keys', await keks.login(name))).body).toEqual({ items: [], next: null });
  });

  it('race: of two changes at once, one wins, and its password is the one that works', async () => {
    for (let round = 0; round < 5; round += 1) {
      const name = await somebody();
      const tokens = [await keks.login(name), await keks.login(name)];
      const wanted = [NEW_PASSWORD, `${NEW_PASSWORD} and more`];
      const answers = await Promise.all(
        tokens.map((token, at) => change(token, { ...right, new_password: wanted[at] })),
      );
      const codes = answers.map((answer) => answer.status);
      expect(codes.filter((code) => code === 204)).toHaveLength(1);
      expect([401, 503]).toContain(codes.find((code) => code !== 204));
      const winner = codes.indexOf(204);
      expect(await login(name, wanted[winner] ?? '')).toBe(200);
      expect(await login(name, wanted[1 - winner] ?? '')).toBe(401);
      expect(await status(tokens[1 - winner] ?? '')).toBe(401);
    }
  });
});
