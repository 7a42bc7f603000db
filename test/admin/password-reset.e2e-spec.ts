import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addClient, clientToken, submit } from '../support/oauth.js';
import { get, PASSWORD, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { expectError, send } from '../support/wire.js';

const NEW_PASSWORD = 'a purple teapot sings to nine calm owls';
const OTHER_PASSWORD = 'four patient snails carry a green piano';
const NOBODY = '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11';

interface Made {
  readonly link: string;
  readonly expires_at: string;
}

let keks: TestApp;
let boss: string;
let people = 0;

async function somebody(scope = 'cookies:eat'): Promise<{ id: string; name: string }> {
  const name = `Forgetful ${(people += 1)}`;
  await keks.addUser(name, scope);
  return { id: await idOf(name), name };
}
async function idOf(name: string): Promise<string> {
  const { rows } = await keks.database.client.query<{ id: string }>('SELECT id FROM users WHERE name = $1', [
    name,
  ]);
  return rows[0]?.id ?? '';
}
const ask = (id: string, body: unknown = { password: PASSWORD }, token = boss): Promise<Answer> =>
  send(keks.url, 'POST', `/admin/users/${id}/password-reset`, token, body);
async function linkFor(id: string): Promise<string> {
  const answer = await ask(id);
  expect(answer.status).toBe(201);
  return (answer.body as Made).link;
}
const codeOf = (link: string): string => link.split('#')[1] ?? '';
const choose = (code: string, password = NEW_PASSWORD, again = password): Promise<Answer> =>
  submit(keks.url, '/password-reset', { code, password, again });
const login = async (user: string, password: string): Promise<number> =>
  (await post(keks.url, '/issue', { user, password })).status;
const status = async (token: string): Promise<number> => (await get(keks.url, '/cookies', token)).status;
interface Event {
  readonly actor: string;
  readonly ip: string;
  readonly detail: { readonly link: string; readonly keys?: boolean };
}
async function eventsOf(name: string, type: string): Promise<Event[]> {
  const { rows } = await keks.database.client.query<Event>(
    `SELECT actor, ip, detail FROM audit_events WHERE type = $2 AND detail->>'user' = $1 ORDER BY created_at`,
    [name, type],
  );
  return rows;
}

beforeAll(async () => {
  keks = await startTestApp({ LOGIN_FAILURES_PER_ADDRESS: '20' });
  await keks.addUser('Boss', 'keks:admin');
  boss = await keks.login('Boss');
});

afterAll(() => keks.close());

describe('POST /admin/users/:id/password-reset', () => {
  it('201: a link to the page, whose code stands behind # and so reaches no server’s log', async () => {
    const { id, name } = await somebody();
    const answer = await ask(id);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { link, expires_at: until } = answer.body as Made;
    expect(link).toMatch(new RegExp(`^${keks.config.ISSUER}/password-reset#kpr_[A-Za-z0-9_-]{72}$`));
    expect((Date.parse(until) - keks.clock.now()) / 1_000).toBeCloseTo(keks.config.PASSWORD_RESET_TTL, -1);
    expect(await login(name, PASSWORD)).toBe(200);
  });

  it('tells the audit log who made it and who used it, by one name, and never the code', async () => {
    const { id, name } = await somebody();
    const link = await linkFor(id);
    expect((await choose(codeOf(link))).status).toBe(200);
    const [made] = await eventsOf(name, 'user.reset_link_made');
    const [used] = await eventsOf(name, 'user.password_changed');
    expect(made).toMatchObject({ actor: 'user:Boss', ip: '127.0.0.1' });
    expect(used).toMatchObject({ actor: 'holder', detail: { keys: true } });
    const [one, other] = [made, used].map((event) => event?.detail.link);
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(other).toBe(one);
    expect(JSON.stringify([made, used])).not.toContain(codeOf(link).slice(4, 20));
  });

  it('serves an administrator who has forgotten the password: a second one makes the link', async () => {
    const { id, name } = await somebody('keks:admin');
    expect((await choose(codeOf(await linkFor(id)))).status).toBe(200);
    expect(await login(name, NEW_PASSWORD)).toBe(200);
  });

  it('400: not for oneself, which would be a way around the old password', async () => {
    expectError(await ask(await idOf('Boss')), 400, 'invalid_request');
  });

  it('401: with a wrong password of one’s own, counted as a login', async () => {
    const { id, name } = await somebody();
    expectError(await ask(id, { password: 'wrong' }), 401, 'invalid_credentials');
    expect(await eventsOf(name, 'user.reset_link_made')).toEqual([]);
    expect((await eventsOf('Boss', 'login.refused')).length).toBeGreaterThan(0);
    expect(await login('Boss', PASSWORD)).toBe(200);
  });

  it('400: without a password', async () => {
    const { id } = await somebody();
    expectError(await ask(id, {}), 400, 'invalid_request');
  });

  it('403: nobody but an administrator, and no client, whatever its scope', async () => {
    const { id, name } = await somebody();
    const client = await addClient(keks, { scope: ['keks:admin'] });
    for (const token of [await keks.login(name), (await clientToken(keks, client)).access_token])
      expectError(await ask(id, undefined, token), 403, 'insufficient_scope');
  });

  it('404: an unknown user; 400: a disabled one', async () => {
    expectError(await ask(NOBODY), 404, 'not_found');
    const { id } = await somebody();
    await send(keks.url, 'PATCH', `/admin/users/${id}`, boss, { disabled: true });
    expectError(await ask(id), 400, 'invalid_request');
  });
});

describe('GET /password-reset', () => {
  it('shows a form to everybody, which loads nothing but ours, is in nobody’s frame and sends no address on', async () => {
    const page = await get(keks.url, '/password-reset');
    expect(page.status).toBe(200);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('cache-control')).toBe('no-store');
    const policy = page.headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ])
      expect(policy).toContain(rule);
    expect(String(page.body)).toContain('<form method="post" action="password-reset">');
    expect((await get(keks.url, '/password-reset.js')).status).toBe(200);
  });
});

describe('POST /password-reset', () => {
  it('sets the password, and ends the logins, API keys and failures of before', async () => {
    const { id, name } = await somebody();
    const token = await keks.login(name);
    const key = (await send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD })).body as {
      key: string;
    };
    const answer = await choose(codeOf(await linkFor(id)));
    expect(answer.status).toBe(200);
    expect(String(answer.body)).toContain(name);
    expect([await status(token), await status(key.key)]).toEqual([401, 401]);
    expect([await login(name, PASSWORD), await login(name, NEW_PASSWORD)]).toEqual([401, 200]);
  });

  it('takes the whole link, as people paste it without scripts', async () => {
    const { id, name } = await somebody();
    expect((await choose(` ${await linkFor(id)} `)).status).toBe(200);
    expect(await login(name, NEW_PASSWORD)).toBe(200);
  });

  it('works once; of many at the same time one sets its password', async () => {
    const { id, name } = await somebody();
    const code = codeOf(await linkFor(id));
    const answers = await Promise.all([choose(code), choose(code, OTHER_PASSWORD), choose(code)]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 403, 403]);
    expect((await choose(code, OTHER_PASSWORD)).status).toBe(403);
    expect(await eventsOf(name, 'user.password_changed')).toHaveLength(1);
  });

  it.each([
    ['it is too old', () => Promise.resolve(keks.clock.advance(keks.config.PASSWORD_RESET_TTL))],
    ['the user has set another password', (name: string) => changeOwn(name)],
    [
      'the user was disabled, and is enabled again',
      async (_name: string, id: string) => {
        for (const disabled of [true, false])
          await send(keks.url, 'PATCH', `/admin/users/${id}`, await keks.login('Boss'), { disabled });
      },
    ],
  ])('403, and nothing changes, when %s', async (_, happen) => {
    boss = await keks.login('Boss');
    const { id, name } = await somebody();
    const code = codeOf(await linkFor(id));
    await happen(name, id);
    boss = await keks.login('Boss');
    const answer = await choose(code, OTHER_PASSWORD);
    expect(answer.status).toBe(403);
    expect(await login(name, OTHER_PASSWORD)).toBe(401);
  });

  it.each([
    ['too short', 'cookie jar'],
    ['easy to guess', 'passwordpasswordpassword'],
    ['too long', 'x'.repeat(1_025)],
  ])('400: a password that is %s leaves the link alive, and the form keeps the code', async (_, password) => {
    const { id, name } = await somebody();
    const code = codeOf(await linkFor(id));
    const answer = await choose(code, password);
    expect(answer.status).toBe(400);
    expect(String(answer.body)).toContain(`name="code" value="${code}"`);
    expect(await login(name, PASSWORD)).toBe(200);
    expect((await choose(code)).status).toBe(200);
  });

  it('400: a repetition that differs, and a form that lacks something', async () => {
    const { id } = await somebody();
    const code = codeOf(await linkFor(id));
    expect((await choose(code, NEW_PASSWORD, OTHER_PASSWORD)).status).toBe(400);
    expect((await submit(keks.url, '/password-reset', { code })).status).toBe(400);
    expect((await choose(code)).status).toBe(200);
  });

  it('shows what was sent as text, never as markup', async () => {
    const answer = await choose('"><img src=x>', NEW_PASSWORD, OTHER_PASSWORD);
    expect(String(answer.body)).not.toContain('<img src=x>');
  });

  it('403: a code with any character changed', async () => {
    const { id } = await somebody();
    const code = codeOf(await linkFor(id));
    for (const at of [4, 26, 35, 75]) {
      const forged = code.slice(0, at) + (code[at] === 'A' ? 'B' : 'A') + code.slice(at + 1);
      expect((await choose(forged)).status).toBe(403);
    }
    expect((await choose(code)).status).toBe(200);
  });

  it('429 after as many bad codes as failed logins from one address, for a good one too', async () => {
    keks.clock.advance(keks.config.LOGIN_FAILURE_WINDOW);
    boss = await keks.login('Boss');
    const { id } = await somebody();
    const code = codeOf(await linkFor(id));
    for (let at = 0; at < 20; at += 1) expect((await choose('kpr_nothing')).status).toBe(403);
    const refused = await choose(code);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    keks.clock.advance(keks.config.LOGIN_FAILURE_WINDOW);
    expect((await choose(code)).status).toBe(200);
  });
});

async function changeOwn(name: string): Promise<void> {
  const wanted = { old_password: PASSWORD, new_password: NEW_PASSWORD };
  await send(keks.url, 'PUT', '/password', await keks.login(name), wanted);
}
