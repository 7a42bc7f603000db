import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addCrowd, verdicts } from '../support/crowd.js';
import { PASSWORD, post, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

const SESSIONS = 5;
const KEYS = 3;

let keks: TestApp;
let people = 0;

beforeAll(async () => {
  keks = await startTestApp({ MAX_SESSIONS_PER_USER: String(SESSIONS), MAX_KEYS_PER_USER: String(KEYS) });
});

afterAll(() => keks.close());

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

async function sql<R = unknown>(text: string, values: unknown[] = []): Promise<R[]> {
  return (await keks.database.client.query(text, values)).rows as R[];
}

async function somebody(): Promise<string> {
  people += 1;
  await keks.addUser(`Somebody ${people}`);
  return `Somebody ${people}`;
}

async function logins(name: string, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (const _ of range(count)) {
    tokens.push(await keks.login(name));
    keks.clock.advance(1);
  }
  return tokens;
}

const makeKey = (token: string, expiresIn = 3_600): Promise<Answer> =>
  post(
    keks.url,
    '/keys',
    { label: 'oven', password: PASSWORD, expires_in: expiresIn },
    { authorization: `Bearer ${token}` },
  );

/** Asks again, as a client does, as long as the answer is 503. */
async function insist(ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask();
    if (answer.status !== 503 || attempt === 40) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
  }
}

const living = (name: string, kind: string) =>
  sql(
    `SELECT g.id FROM grants g JOIN users u ON u.id = g.user_id
      WHERE u.name = $1 AND g.kind = $2 AND g.revoked_at IS NULL AND g.expires_at > to_timestamp($3::float8)`,
    [name, kind, keks.clock.now() / 1_000],
  );

describe('MAX_SESSIONS_PER_USER', () => {
  it('a further login ends the oldest, and the audit log says why', async () => {
    const name = await somebody();
    const tokens = await logins(name, SESSIONS + 2);
    expect(await verdicts(keks.url, tokens)).toEqual([401, 401, ...range(SESSIONS).map(() => 200)]);
    const events = await sql(
      `SELECT a.actor, a.detail FROM audit_events a JOIN grants g ON g.id = a.grant_id JOIN users u ON u.id = g.user_id
        WHERE a.type = 'grant.revoked' AND u.name = $1`,
      [name],
    );
    const event = { actor: 'keks', detail: { reason: 'too_many_sessions', kind: 'login' } };
    expect(events).toEqual([event, event]);
  });

  it('those that are over, keys, and other people’s count for nothing', async () => {
    const [name, other] = [await somebody(), await somebody()];
    const [first = '', second = ''] = await logins(name, SESSIONS);
    expect((await post(keks.url, '/revoke', { token: second })).status).toBe(200);
    const { rows } = await keks.database.client.query(
      `UPDATE grants SET revoked_at = now(), revoked_reason = 'by hand' WHERE id =
         (SELECT g.id FROM grants g JOIN users u ON u.id = g.user_id WHERE u.name = $1 ORDER BY g.created_at OFFSET 1 LIMIT 1)
       RETURNING id`,
      [name],
    );
    expect(rows).toHaveLength(1);
    expect((await makeKey(first)).status).toBe(201);
    await logins(other, SESSIONS);
    await logins(name, 1);
    expect(await verdicts(keks.url, [first])).toEqual([200]);
  });

  it(
    'of 40 logins at once the next one leaves as many as there may be, itself among them',
    { timeout: 60_000 },
    async () => {
      const name = await somebody();
      await Promise.all(
        range(40).map(() => insist(() => post(keks.url, '/issue', { user: name, password: PASSWORD }))),
      );
      keks.clock.advance(1);
      const last = await keks.login(name);
      expect(await living(name, 'login')).toHaveLength(SESSIONS);
      expect(await verdicts(keks.url, [last])).toEqual([200]);
    },
  );

  it('of somebody who has far too many from before, each login ends some', async () => {
    const name = await somebody();
    await addCrowd(keks, name, { count: 1_200 });
    const before = 1_200 + 1;
    const last = await keks.login(name);
    const left = await living(name, 'login');
    expect(left.length).toBeLessThan(before);
    expect(left.length).toBeGreaterThanOrEqual(SESSIONS);
    await logins(name, 3);
    expect(await living(name, 'login')).toHaveLength(SESSIONS);
    expect(await verdicts(keks.url, [last])).toEqual([200]);
  });
});

describe('MAX_KEYS_PER_USER', () => {
  it('409: a further key, until one is deleted or has expired', async () => {
    const token = await keks.login(await somebody());
    const made = [await makeKey(token), await makeKey(token), await makeKey(token, 10)];
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
    const refused = await makeKey(token);
    expect([refused.status, refused.body]).toEqual([
      409,
      {
        error: 'too_many_keys',
        error_description: 'You have as many API keys as one user may have: delete one first.',
      },
    ]);
    const { id } = (made[0] ?? refused).body as { id: string };
    const headers = { authorization: `Bearer ${token}` };
    expect((await request(keks.url, `/keys/${id}`, { method: 'DELETE', headers })).status).toBe(204);
    expect((await makeKey(token)).status).toBe(201);
    expect((await makeKey(token)).status).toBe(409);
    keks.clock.advance(11);
    expect((await makeKey(token)).status).toBe(201);
    expect((await makeKey(token)).status).toBe(409);
  });

  it('of 60 requests at once exactly as many succeed as there is room', { timeout: 60_000 }, async () => {
    const name = await somebody();
    const token = await keks.login(name);
    const answers = await Promise.all(range(60).map(() => insist(() => makeKey(token))));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(KEYS);
    expect(new Set(statuses)).toEqual(new Set([201, 409]));
    expect(await living(name, 'api_key')).toHaveLength(KEYS);
  });

  it('tells nobody who may not make a key anyway', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    for (const _ of range(KEYS)) await makeKey(token);
    const wide = { label: 'oven', password: PASSWORD, scope: 'cookies:bake' };
    const answer = await post(keks.url, '/keys', wide, { authorization: `Bearer ${token}` });
    expect(answer.body).toMatchObject({ error: 'invalid_scope' });
  });
});
