import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addClient, clientToken } from '../support/oauth.js';
import { PASSWORD, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { expectError, pages, send, type Method, type Page } from '../support/wire.js';

interface User {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly disabled: boolean;
}

interface Grant {
  readonly id: string;
  readonly kind: string;
  readonly username: string | null;
}

const NOBODY = '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11';
const NEW_PASSWORD = 'a purple teapot sings to nine calm owls';

let keks: TestApp;
let admin: string;
let people = 0;

const call = (method: Method, path: string, body?: unknown, token = admin): Promise<Answer> =>
  send(keks.url, method, path, token, body);
const status = async (token: string): Promise<number> =>
  (await post(keks.url, '/validate', { token })).status;
const login = async (user: string, password: string): Promise<number> =>
  (await post(keks.url, '/issue', { user, password })).status;
const makeKey = async (token: string, scope?: string): Promise<string> =>
  ((await call('POST', '/keys', { label: 'x', password: PASSWORD, scope }, token)).body as { key: string })
    .key;
const everybody = async (): Promise<User[]> =>
  (await pages<User>(keks.url, '/admin/users?limit=100', admin)).flat();

/** Somebody of whom no other test knows. */
async function somebody(scope = 'cookies:eat'): Promise<User> {
  const name = `Somebody ${(people += 1)}`;
  await keks.addUser(name, scope);
  const user = (await everybody()).find((one) => one.name === name);
  if (!user) throw new Error('not listed');
  return user;
}

async function eventsOf(condition: string, ...values: string[]): Promise<unknown[]> {
  const { rows } = await keks.database.client.query(
    `SELECT type, actor, ip, detail FROM audit_events WHERE ${condition} ORDER BY created_at, type`,
    values,
  );
  return rows;
}

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Boss', 'keks:admin');
  admin = await keks.login('Boss');
});

afterAll(() => keks.close());

describe.each([
  ['GET', '/admin/users'],
  ['POST', '/admin/users'],
  ['GET', `/admin/users/${NOBODY}`],
  ['PATCH', `/admin/users/${NOBODY}`],
  ['POST', `/admin/users/${NOBODY}/revoke`],
  ['GET', '/admin/grants'],
  ['DELETE', `/admin/grants/${NOBODY}`],
  ['GET', '/admin/audit'],
  ['GET', '/admin/numbers'],
] as const)('%s %s', (method, path) => {
  const body = method === 'POST' || method === 'PATCH' ? {} : undefined;

  it('401 without a token', async () => {
    expectError(await send(keks.url, method, path, undefined, body), 401, 'unauthorized');
  });

  it('403 for somebody who is no admin, and for an admin’s token without keks:admin', async () => {
    const { name } = await somebody();
    expectError(await call(method, path, body, await keks.login(name)), 403, 'insufficient_scope');
    const answer = await call(method, path, body, await keks.login('Boss', 'keks:account'));
    expectError(answer, 403, 'insufficient_scope');
    expect(answer.headers.get('www-authenticate')).toContain('scope="keks:admin"');
  });
});

describe('POST /admin/users', () => {
  it('201: a user who can log in', async () => {
    const answer = await call('POST', '/admin/users', {
      name: 'Baker',
      password: NEW_PASSWORD,
      scope: 'cookies:eat cookies:bake',
    });
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: 'Baker',
        scope: 'cookies:eat cookies:bake',
        disabled: false,
        created_at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await login('Baker', NEW_PASSWORD)).toBe(200);
    expect(await eventsOf(`type = 'user.added' AND detail->>'user' = $1`, 'Baker')).toEqual([
      {
        type: 'user.added',
        actor: 'user:Boss',
        ip: '127.0.0.1',
        detail: { user: 'Baker', scope: 'cookies:eat cookies:bake' },
      },
    ]);
  });

  it('201: with no scope at all, who has an account and nothing else', async () => {
    const answer = await call('POST', '/admin/users', { name: 'Guest', password: NEW_PASSWORD });
    expect([answer.status, answer.body]).toEqual([201, expect.objectContaining({ scope: '' })]);
    const issued = await post(keks.url, '/issue', { user: 'Guest', password: NEW_PASSWORD });
    expect(issued.body).toEqual(expect.objectContaining({ scope: 'keks:account' }));
  });

  it('409: a name that is taken, in whatever case, and nobody changes', async () => {
    const { name } = await somebody();
    for (const taken of [name, name.toUpperCase()])
      expectError(
        await call('POST', '/admin/users', { name: taken, password: NEW_PASSWORD }),
        409,
        'name_taken',
      );
    expect([await login(name, PASSWORD), await login(name, NEW_PASSWORD)]).toEqual([200, 401]);
  });

  it.each([
    [{}, 'invalid_request'],
    [{ name: 'Weak', password: 'password' }, 'weak_password'],
    [{ name: '', password: NEW_PASSWORD }, 'invalid_request'],
    [{ name: 'x'.repeat(129), password: NEW_PASSWORD }, 'invalid_request'],
    [{ name: 'a\nb', password: NEW_PASSWORD }, 'invalid_request'],
    [{ name: 7, password: NEW_PASSWORD }, 'invalid_request'],
    [{ name: 'Wide', password: NEW_PASSWORD, scope: 'keks:account' }, 'invalid_scope'],
    [{ name: 'Wide', password: NEW_PASSWORD, scope: 'offline_access' }, 'invalid_scope'],
    [{ name: 'Wide', password: NEW_PASSWORD, scope: 'a  b' }, 'invalid_scope'],
    [{ name: 'Wide', password: NEW_PASSWORD, scope: ['a'] }, 'invalid_request'],
  ])('400: %j is %s', async (body, error) => {
    expectError(await call('POST', '/admin/users', body), 400, error);
  });

  it('race: of 10 with the same name one is added', async () => {
    const wanted = Array.from({ length: 10 }, (_, at) =>
      call('POST', '/admin/users', { name: at % 2 ? 'Twin' : 'TWIN', password: NEW_PASSWORD }),
    );
    const statuses = (await Promise.all(wanted)).map((answer) => answer.status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
  });
});

describe('GET /admin/users', () => {
  it('200: everybody by name, page by page, each once, whoever is added meanwhile', async () => {
    await somebody();
    const before = (await everybody()).map((user) => user.name);
    expect(before).toEqual(
      (await keks.database.client.query('SELECT name FROM users ORDER BY name_folded')).rows.map(
        (row: { name: string }) => row.name,
      ),
    );
    const found = await pages<User>(keks.url, '/admin/users?limit=2', admin, () => somebody());
    const names = found.flat().map((user) => user.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(before));
    expect(JSON.stringify(found)).not.toContain('keks1$');
  });

  it('?name=: the one of that name, upper or lower case, or nobody', async () => {
    const user = await somebody();
    for (const name of [user.name, user.name.toUpperCase()]) {
      const answer = await call('GET', `/admin/users?name=${encodeURIComponent(name)}`);
      expect(answer.body).toEqual({ items: [user], next: null });
    }
    for (const name of ['Nobody at all', '%25', ' ']) {
      const answer = await call('GET', `/admin/users?name=${encodeURIComponent(name)}`);
      expect(answer.body).toEqual({ items: [], next: null });
    }
  });

  it.each(['name=', 'name=A&name=B', 'name=%00', 'name=Boss&cursor=x'])('400: ?%s', async (query) =>
    expectError(await call('GET', `/admin/users?${query}`), 400, 'invalid_request'),
  );

  it('400: a bad limit, and a cursor that was made up', async () => {
    expectError(await call('GET', '/admin/users?limit=0'), 400, 'invalid_request');
    expectError(await call('GET', '/admin/users?cursor=WyJBIl0'), 400, 'invalid_request');
  });
});

describe('GET /admin/users/:id', () => {
  it('200: one of them', async () => {
    const user = await somebody();
    const answer = await call('GET', `/admin/users/${user.id}`);
    expect([answer.status, answer.body]).toEqual([200, user]);
  });

  it.each([NOBODY, 'Boss', '%00', "'"])('404: %s', async (id) => {
    expectError(await call('GET', `/admin/users/${id}`), 404, 'not_found');
  });
});

describe('PATCH /admin/users/:id', () => {
  it('200: "disabled": true ends everything at once; false gives nothing back, but lets in again', async () => {
    const { id, name } = await somebody();
    const token = await keks.login(name);
    const key = await makeKey(token);
    const answer = await call('PATCH', `/admin/users/${id}`, { disabled: true });
    expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ id, disabled: true })]);
    expect([await status(token), await status(key)]).toEqual([401, 401]);
    expect(await login(name, PASSWORD)).toBe(401);
    const enabled = await call('PATCH', `/admin/users/${id}`, { disabled: false });
    expect(enabled.body).toEqual(expect.objectContaining({ disabled: false }));
    expect([await status(token), await status(key), await login(name, PASSWORD)]).toEqual([401, 401, 200]);
    const events = await eventsOf(`detail->>'user' = $1 AND type LIKE 'user.%abled'`, name);
    expect(events).toEqual([
      { type: 'user.disabled', actor: 'user:Boss', ip: '127.0.0.1', detail: { user: name, user_id: id } },
      { type: 'user.enabled', actor: 'user:Boss', ip: '127.0.0.1', detail: { user: name, user_id: id } },
    ]);
  });

  it('200: less scope ends what may do more than is left, and nothing else', async () => {
    const { id, name } = await somebody('cookies:eat cookies:bake');
    const wide = await keks.login(name);
    const narrow = await keks.login(name, 'cookies:eat keks:account');
    const account = await keks.login(name, 'keks:account');
    const [wideKey, narrowKey] = [await makeKey(wide), await makeKey(wide, 'cookies:eat')];
    const answer = await call('PATCH', `/admin/users/${id}`, { scope: 'cookies:eat' });
    expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ scope: 'cookies:eat' })]);
    expect([await status(wide), await status(wideKey)]).toEqual([401, 401]);
    expect([await status(narrow), await status(account), await status(narrowKey)]).toEqual([200, 200, 200]);
    expect(await eventsOf(`type = 'user.scope_changed' AND detail->>'user' = $1`, name)).toEqual([
      {
        type: 'user.scope_changed',
        actor: 'user:Boss',
        ip: '127.0.0.1',
        detail: { user: name, user_id: id, scope: 'cookies:eat', before: 'cookies:eat cookies:bake' },
      },
    ]);
  });

  it('200: more scope is for the next login; the tokens that are out stay as they are', async () => {
    const { id, name } = await somebody();
    const token = await keks.login(name);
    await call('PATCH', `/admin/users/${id}`, { scope: 'cookies:eat cookies:bake' });
    expect(await status(token)).toBe(200);
    expectError(await call('POST', '/admin/users', {}, token), 403, 'insufficient_scope');
    const issued = await post(keks.url, '/issue', { user: name, password: PASSWORD });
    expect(issued.body).toEqual(expect.objectContaining({ scope: 'cookies:eat cookies:bake keks:account' }));
  });

  it('200: nothing new is nothing done, and not in the audit log', async () => {
    const { id, name, scope } = await somebody();
    const token = await keks.login(name);
    expect((await call('PATCH', `/admin/users/${id}`, { scope, disabled: false })).status).toBe(200);
    expect(await status(token)).toBe(200);
    expect(await eventsOf(`detail->>'user' = $1 AND type <> 'user.added'`, name)).toEqual([]);
  });

  it.each([
    [{}, 'invalid_request'],
    [{ disabled: 'true' }, 'invalid_request'],
    [{ disabled: null }, 'invalid_request'],
    [{ scope: 7 }, 'invalid_request'],
    [{ scope: 'keks:account' }, 'invalid_scope'],
    [{ scope: 'a  b' }, 'invalid_scope'],
  ])('400: %j is %s', async (body, error) => {
    const user = await somebody();
    expectError(await call('PATCH', `/admin/users/${user.id}`, body), 400, error);
    expect((await call('GET', `/admin/users/${user.id}`)).body).toEqual(user);
  });

  it('404: nobody', async () => {
    expectError(await call('PATCH', `/admin/users/${NOBODY}`, { disabled: true }), 404, 'not_found');
  });

  it('race: scope taken away against 15 logins and keys each; nothing wide is alive afterwards (5 rounds)', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id, name } = await somebody('cookies:eat cookies:bake');
      const token = await keks.login(name);
      const wanted = Array.from({ length: 30 }, (_, at) =>
        at % 2
          ? post(keks.url, '/issue', { user: name, password: PASSWORD })
          : call('POST', '/keys', { label: `key ${at}`, password: PASSWORD }, token),
      );
      await new Promise((resolve) => setTimeout(resolve, round * 5));
      const [changed] = await Promise.all([
        call('PATCH', `/admin/users/${id}`, { scope: 'cookies:eat' }),
        ...wanted,
      ]);
      expect(changed.status).toBe(200);
      for (const answer of await Promise.all(wanted)) expect([200, 201, 401, 503]).toContain(answer.status);
      const { rows } = await keks.database.client.query(
        `SELECT scope FROM grants WHERE user_id = $1 AND revoked_at IS NULL AND scope LIKE '%cookies:bake%'`,
        [id],
      );
      expect(rows).toEqual([]);
    }
  });
});

describe('POST /admin/users/:id/revoke', () => {
  it('204: every login and key is dead, and the user may log in again', async () => {
    const [{ id, name }, other] = [await somebody(), await somebody()];
    const [token, bystander] = [await keks.login(name), await keks.login(other.name)];
    const key = await makeKey(token);
    const answer = await call('POST', `/admin/users/${id}/revoke`);
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect([await status(token), await status(key), await status(bystander)]).toEqual([401, 401, 200]);
    expect(await login(name, PASSWORD)).toBe(200);
    const events = await eventsOf(
      `type = 'user.revoked' AND detail->>'user' = $1 OR type = 'grant.revoked' AND grant_id IN
         (SELECT id FROM grants WHERE user_id = $2)`,
      name,
      id,
    );
    const by = { actor: 'user:Boss', ip: '127.0.0.1' };
    expect(events).toEqual([
      { type: 'grant.revoked', ...by, detail: { kind: expect.any(String), reason: 'user_revoked' } },
      { type: 'grant.revoked', ...by, detail: { kind: expect.any(String), reason: 'user_revoked' } },
      { type: 'user.revoked', ...by, detail: { user: name, user_id: id, grants: 2 } },
    ]);
  });

  it('204 of a user with 30,000 logins: all are dead at once, and written down one by one afterwards', async () => {
    const { id, name } = await somebody();
    const token = await keks.login(name);
    const { client } = keks.database;
    await client.query(
      `INSERT INTO grants (kind, user_id, scope, expires_at)
       SELECT 'login', $1, 'cookies:eat', now() + interval '1 h' FROM generate_series(1, 29999)`,
      [id],
    );
    expect((await call('POST', `/admin/users/${id}/revoke`)).status).toBe(204);
    expect(await status(token)).toBe(401);
    const [event] = await eventsOf(`type = 'user.revoked' AND detail->>'user' = $1`, name);
    expect(event).toMatchObject({ detail: { grants: 'all' } });
  });

  it.each([NOBODY, 'x', '%00'])('404: %s', async (id) => {
    expectError(await call('POST', `/admin/users/${id}/revoke`), 404, 'not_found');
  });
});

describe('GET /admin/grants', () => {
  it('200: living ones of everybody, newest first', async () => {
    const { id, name } = await somebody();
    const token = await keks.login(name);
    keks.clock.advance(1);
    await makeKey(token);
    const { items } = (await call('GET', '/admin/grants?limit=2')).body as Page<Grant>;
    expect(items).toEqual([
      expect.objectContaining({ kind: 'api_key', username: name, label: 'x', scope: 'cookies:eat' }),
      {
        id: expect.any(String),
        kind: 'login',
        user_id: id,
        username: name,
        client_id: null,
        scope: 'cookies:eat keks:account',
        label: null,
        ip: '127.0.0.1',
        user_agent: 'node',
        created_at: expect.stringMatching(/Z$/),
        last_used_at: null,
        expires_at: expect.stringMatching(/Z$/),
      },
    ]);
  });

  it('?user_id=: those of one user, page by page, each once', async () => {
    const { id, name } = await somebody();
    for (let at = 0; at < 5; at += 1) await keks.login(name);
    const found = await pages<Grant>(keks.url, `/admin/grants?user_id=${id}&limit=2`, admin, () =>
      keks.login(name),
    );
    expect(found.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(new Set(found.flat().map((grant) => grant.id)).size).toBe(5);
    expect(found.flat().every((grant) => grant.username === name)).toBe(true);
  });

  it('200 and empty: of nobody, of an unknown client, of both at once', async () => {
    for (const query of [`user_id=${NOBODY}`, 'client_id=c-none', `user_id=${NOBODY}&client_id=c-none`])
      expect((await call('GET', `/admin/grants?${query}`)).body).toEqual({ items: [], next: null });
  });

  it.each(['user_id=x', 'user_id=', 'client_id=', 'client_id=%00', 'user_id=%00', 'limit=x', 'cursor=x'])(
    '400: ?%s',
    async (query) => expectError(await call('GET', `/admin/grants?${query}`), 400, 'invalid_request'),
  );

  it('400: the cursor of one user’s grants is not good for another’s', async () => {
    const [one, other] = [await somebody(), await somebody()];
    await keks.login(one.name);
    await keks.login(one.name);
    const page = (await call('GET', `/admin/grants?user_id=${one.id}&limit=1`)).body as Page<Grant>;
    const path = `/admin/grants?user_id=${other.id}&cursor=${page.next}`;
    expectError(await call('GET', path), 400, 'invalid_request');
  });
});

describe('DELETE /admin/grants/:id', () => {
  it('204: the grant is dead with all of its tokens; a second time 404', async () => {
    const { id, name } = await somebody();
    const token = await keks.login(name);
    const { items } = (await call('GET', `/admin/grants?user_id=${id}`)).body as Page<Grant>;
    const path = `/admin/grants/${items[0]?.id}`;
    expect((await call('DELETE', path)).status).toBe(204);
    expect(await status(token)).toBe(401);
    expectError(await call('DELETE', path), 404, 'not_found');
    expect(await eventsOf(`type = 'grant.revoked' AND grant_id = $1`, items[0]?.id ?? '')).toEqual([
      {
        type: 'grant.revoked',
        actor: 'user:Boss',
        ip: '127.0.0.1',
        detail: { kind: 'login', reason: 'revoked_by_operator' },
      },
    ]);
  });

  it.each([NOBODY, 'x', '%00'])('404: %s', async (id) => {
    expectError(await call('DELETE', `/admin/grants/${id}`), 404, 'not_found');
  });
});

describe('an admin', () => {
  it('is no key, even if its grant says that it may (a version before made it, or somebody edited the table)', async () => {
    const chief = await somebody('keks:admin cookies:eat');
    const key = await makeKey(await keks.login(chief.name));
    await keks.database.client.query(
      `UPDATE grants SET scope = 'cookies:eat keks:admin keks:metrics keys:any'
        WHERE user_id = $1 AND kind = 'api_key'`,
      [chief.id],
    );
    expectError(await call('GET', '/admin/users', undefined, key), 403, 'insufficient_scope');
    expectError(await call('GET', '/metrics', undefined, key), 403, 'insufficient_scope');
    expect((await call('GET', '/cookies', undefined, key)).status).toBe(200);
    const { items } = (await call('GET', '/keys', undefined, await keks.login(chief.name))).body as Page<
      Grant & { scope: string }
    >;
    expect(items.map(({ scope }) => scope)).toEqual(['cookies:eat']);
  });

  it('may be a client, which dies with the scope', async () => {
    const client = await addClient(keks, { scope: ['keks:admin'] });
    const { access_token: token } = await clientToken(keks, client);
    expect((await call('GET', '/admin/users', undefined, token)).status).toBe(200);
    await call('PATCH', `/admin/clients/${client.clientId}`, { scope: 'cookies:eat' });
    expectError(await call('GET', '/admin/users', undefined, token), 401, 'invalid_token');
  });
});
