import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addClient,
  basic,
  clientToken,
  refresh,
  stayLoggedIn,
  submit,
  type TestClient,
} from '../support/oauth.js';
import { MAKERS, rotatedSecret, type Made, type Maker, type Owner } from '../support/makers.js';
import { get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';
import { expectError, send, type Method } from '../support/wire.js';

/** What every owner here has: something of an API's, and something of the authority's own. */
const FULL = ['cookies:eat', 'cookies:bake', 'keks:admin'];
const MORE = ['cookies:burn', 'keks:metrics', 'Cookies:eat', 'cookies:*', 'cookies:eat cookies:burn'];
const YEARS_10 = 3_650 * 86_400;

let keks: TestApp;
/** May ask what any token for this authority can do. */
let api: TestClient;
let owners = 0;

const admin = (): Promise<string> => keks.login('Boss');

/** Somebody of whom no other case knows. */
async function owner(kind: Owner['kind'], scope = FULL): Promise<Owner> {
  const name = `Owner ${(owners += 1)}`;
  const client = await addClient(keks, { scope });
  await keks.addUser(name, scope.join(' '));
  const { rows } = await keks.database.client.query<{ id: string }>('SELECT id FROM users WHERE name = $1', [
    name,
  ]);
  return { kind, name, client, id: kind === 'user' ? (rows[0]?.id ?? '') : client.clientId };
}

/** What a token can do, as an API hears it; undefined if nothing. */
async function powers(token: string | undefined): Promise<string[] | undefined> {
  const { body } = await submit(keks.url, '/oauth/introspect', { token: token ?? '' }, basic(api));
  const { active, scope } = body as { active: boolean; scope?: string };
  return active ? sorted(scope ?? '') : undefined;
}

const sorted = (scope: string | readonly string[] = []): string[] =>
  (typeof scope === 'string' ? scope.split(' ') : [...scope]).filter((one) => one !== '').sort();

async function expectScope(made: Made, scope: readonly string[]): Promise<void> {
  expect([made.status, made.error]).toEqual([expect.toBeOneOf([200, 201]), undefined]);
  expect(sorted(made.scope)).toEqual(sorted(scope));
  expect(await powers(made.token)).toEqual(sorted(scope));
}

/** How many credentials there are at all. */
async function count(): Promise<unknown> {
  const { rows } = await keks.database.client.query(
    `SELECT (SELECT count(*) FROM grants) AS grants, (SELECT count(*) FROM access_tokens) AS access_tokens,
            (SELECT count(*) FROM refresh_tokens) AS refresh_tokens, (SELECT count(*) FROM api_keys) AS api_keys`,
  );
  return rows[0];
}

async function narrow({ kind, id }: Owner, scope: string): Promise<void> {
  const path = `/admin/${kind}s/${id}`;
  expect((await send(keks.url, 'PATCH', path, await admin(), { scope })).status).toBe(200);
}

async function apiKey(of: string): Promise<string> {
  const body = { label: 'x', password: PASSWORD };
  const answer = await send(keks.url, 'POST', '/keys', await keks.login(of), body);
  expect(answer.status).toBe(201);
  return (answer.body as { key: string }).key;
}

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Boss', 'keks:admin');
  api = await addClient(keks, { scope: [], audience: [keks.config.AUDIENCE] });
});

afterAll(() => keks.close());

describe.each([...MAKERS, rotatedSecret(admin)])('$name', (maker: Maker) => {
  it('asked for nothing: all that it has itself, and nothing more', async () => {
    const ask = await maker.start(keks, await owner(maker.of));
    await expectScope(await ask(), maker.most(FULL));
  });

  it('asked for the same, and for less: exactly that', async () => {
    const ask = await maker.start(keks, await owner(maker.of));
    await expectScope(await ask(maker.most(FULL).join(' ')), maker.most(FULL));
    await expectScope(await ask('cookies:bake'), ['cookies:bake']);
    await expectScope(await ask('cookies:bake cookies:bake'), ['cookies:bake']);
  });

  it.each([...MORE, ...maker.never])('asked for more: %s is refused, and nothing is made', async (scope) => {
    const ask = await maker.start(keks, await owner(maker.of));
    const before = await count();
    expect(await ask(scope)).toEqual({ status: 400, error: 'invalid_scope' });
    expect(await count()).toEqual(before);
  });

  it('asked again and again: what it gave before widens nothing', async () => {
    const ask = await maker.start(keks, await owner(maker.of));
    for (let round = 0; round < 3; round += 1) {
      await expectScope(await ask('cookies:eat'), ['cookies:eat']);
      expect((await ask('cookies:eat cookies:burn')).error).toBe('invalid_scope');
      await expectScope(await ask(), maker.most(FULL));
    }
  });

  if (maker.narrows) {
    it.each([undefined, 'jwt' as const])(
      'made with a narrowed token (%s): nothing more than that',
      async (format) => {
        const origin = { narrowed: 'cookies:bake', ...(format && { format }) };
        const ask = await maker.start(keks, await owner(maker.of), origin);
        for (const scope of ['cookies:eat', 'keks:admin', 'cookies:eat cookies:bake'])
          expect(await ask(scope)).toEqual({ status: 400, error: 'invalid_scope' });
        await expectScope(await ask(), maker.most(['cookies:bake']));
        await expectScope(await ask('cookies:bake'), ['cookies:bake']);
      },
    );

    it('made with a JWT of the same: the same', async () => {
      const ask = await maker.start(keks, await owner(maker.of), { format: 'jwt' });
      await expectScope(await ask(), maker.most(FULL));
      for (const scope of [...MORE, ...maker.never])
        expect(await ask(scope)).toEqual({ status: 400, error: 'invalid_scope' });
    });
  }

  it('made with an API key: refused, and nothing is made', async () => {
    const one = await owner(maker.of);
    const key = await apiKey(one.name);
    const before = await count();
    const answer = await maker.withKey(keks, one, key);
    // the operator's tools take no credential at all
    if (!answer) return;
    expect([400, 401, 403]).toContain(answer.status);
    expect(await count()).toEqual(before);
  });

  it('after the owner was narrowed: what was made is dead, and nothing wider is made', async () => {
    const one = await owner(maker.of);
    const ask = await maker.start(keks, one);
    const before = [await ask(), await ask('cookies:bake')];
    await narrow(one, 'cookies:eat');
    for (const { token } of before) expect(await powers(token)).toBeUndefined();
    if (maker.lives) await expectScope(await ask(), maker.most(['cookies:eat']));
    else expect([400, 401]).toContain((await ask()).status);
    const anew = await maker.start(keks, one);
    await expectScope(await anew(), maker.most(['cookies:eat']));
    expect(await anew('cookies:bake')).toEqual({ status: 400, error: 'invalid_scope' });
  });

  it('after the owner was given more: what was made stays as it was, and only something new has more', async () => {
    const one = await owner(maker.of, ['cookies:eat']);
    const ask = await maker.start(keks, one);
    const before = await ask();
    await narrow(one, 'cookies:eat cookies:bake');
    expect(await powers(before.token)).toEqual(sorted(maker.most(['cookies:eat'])));
    if (!maker.lives) expect((await ask('cookies:bake')).error).toBe('invalid_scope');
    const anew = await maker.start(keks, one);
    await expectScope(await anew(), maker.most(['cookies:eat', 'cookies:bake']));
  });
});

describe('POST /keys', () => {
  const make = (token: string, more: object = {}) =>
    send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD, ...more });

  it('a token for the account alone makes a key that can do nothing, and none that can', async () => {
    const { name } = await owner('user');
    const token = await keks.login(name, 'keks:account');
    expect((await make(token)).body).toMatchObject({ scope: '' });
    for (const scope of FULL) expectError(await make(token, { scope }), 400, 'invalid_scope');
  });

  it('a token that was refreshed for less gives less, although its login may do more', async () => {
    const { name } = await owner('user');
    const { refresh_token: token } = await stayLoggedIn(keks, name);
    const { body } = await refresh(keks, token, { scope: 'cookies:bake keks:account' });
    const { access_token: access } = body as { access_token: string };
    expect((await make(access)).body).toMatchObject({ scope: 'cookies:bake' });
    expectError(await make(access, { scope: 'cookies:eat' }), 400, 'invalid_scope');
  });

  it('a login whose grant was narrowed in the table gives no more than its grant', async () => {
    const { name, id } = await owner('user');
    const token = await keks.login(name);
    await keks.database.client.query(`UPDATE grants SET scope = 'cookies:eat' WHERE user_id = $1`, [id]);
    expect((await make(token)).body).toMatchObject({ scope: 'cookies:eat' });
    expectError(await make(token, { scope: 'cookies:bake' }), 400, 'invalid_scope');
  });

  it('a login that the operator issued makes none without the password', async () => {
    const { name } = await owner('user');
    const maker = MAKERS.find((one) => one.name.startsWith('keks token issue --user'));
    const { token = '' } = (await (await maker?.start(keks, { name } as Owner))?.()) ?? {};
    expectError(await make(token, { password: undefined }), 400, 'invalid_request');
    expectError(await make(token, { password: 'guessed' }), 401, 'invalid_credentials');
  });

  it('10 years at most, whatever else is right', async () => {
    const { name } = await owner('user');
    const token = await keks.login(name);
    expect((await make(token, { expires_in: YEARS_10 })).status).toBe(201);
    expectError(await make(token, { expires_in: YEARS_10 + 1 }), 400, 'invalid_request');
  });

  it('checks in the order of the contract: the token, the shape of the body, the password, the scope', async () => {
    const { name } = await owner('user');
    const token = await keks.login(name);
    const narrow = await keks.login(name, 'cookies:eat');
    const wrong = { password: 'wrong', scope: 'cookies:burn' };
    const shapeless = { ...wrong, label: 7 };
    expectError(await send(keks.url, 'POST', '/keys', undefined, shapeless), 401, 'unauthorized');
    expectError(await make(narrow, shapeless), 403, 'insufficient_scope');
    expectError(await make(token, shapeless), 400, 'invalid_request');
    expectError(await make(token, wrong), 401, 'invalid_credentials');
    expectError(await make(token, { scope: 'cookies:burn' }), 400, 'invalid_scope');
    expect((await make(token)).status).toBe(201);
  });
});

describe('POST /oauth/token: the audience', () => {
  it('a refresh is for the audience of the login, however often, and for no other', async () => {
    const other = await addClient(keks, { audience: ['https://oven.example'] });
    const { name } = await owner('user');
    let { refresh_token: token } = await stayLoggedIn(keks, name);
    for (let round = 0; round < 3; round += 1) {
      for (const resource of ['https://oven.example', 'https://nobody.example'])
        expectError(await refresh(keks, token, { resource }), 400, 'invalid_target');
      const { body } = await refresh(keks, token);
      const { access_token: access, refresh_token: next } = body as Record<string, string>;
      expect(await powers(access)).toContain('cookies:eat');
      const seen = await submit(keks.url, '/oauth/introspect', { token: access ?? '' }, basic(other));
      expect(seen.body).toEqual({ active: false });
      token = next ?? '';
    }
  });
});

/** Who has `keks:admin` may give what he has not: that is what it is for. Nobody else may give anything. */
describe.each<readonly [Method, string, (one: Owner) => string, object | undefined]>([
  ['POST', '/admin/users', () => '/admin/users', { name: 'New', password: PASSWORD, scope: 'keks:admin' }],
  ['PATCH', '/admin/users/{id}', ({ id }) => `/admin/users/${id}`, { scope: 'keks:admin' }],
  ['POST', '/admin/clients', () => '/admin/clients', { name: 'new', scope: 'keks:admin' }],
  [
    'PATCH',
    '/admin/clients/{id}',
    ({ client }) => `/admin/clients/${client.clientId}`,
    { scope: 'keks:admin' },
  ],
  [
    'POST',
    '/admin/clients/{id}/secrets',
    ({ client }) => `/admin/clients/${client.clientId}/secrets`,
    undefined,
  ],
])('%s %s', (method, _name, path, body) => {
  const named = (): object | undefined =>
    body && 'name' in body ? { ...body, name: `${String(body.name)} ${(owners += 1)}` } : body;

  async function state(): Promise<unknown> {
    const { rows } = await keks.database.client.query(
      `SELECT (SELECT array_agg(name || scope ORDER BY name) FROM users) AS users,
              (SELECT array_agg(client_id || scope ORDER BY client_id) FROM clients) AS clients,
              (SELECT count(*) FROM client_secrets) AS secrets`,
    );
    return rows[0];
  }

  it('403 for an administrator’s token that was narrowed, opaque or JWT, refreshed, and for a key; nothing changes', async () => {
    const one = await owner('user');
    const issue = async (more: object): Promise<string> =>
      (
        (await post(keks.url, '/issue', { user: one.name, password: PASSWORD, ...more })).body as {
          token: string;
        }
      ).token;
    const { refresh_token: token } = await stayLoggedIn(keks, one.name);
    const answer = await refresh(keks, token, { scope: 'cookies:eat keks:account' });
    const without = await addClient(keks);
    const powerless = [
      await issue({ scope: 'cookies:eat keks:account' }),
      await issue({ scope: 'cookies:eat keks:account', format: 'jwt' }),
      (answer.body as { access_token: string }).access_token,
      (await clientToken(keks, without)).access_token,
      await apiKey(one.name),
    ];
    const before = await state();
    for (const powers of powerless)
      expectError(await send(keks.url, method, path(one), powers, named()), 403, 'insufficient_scope');
    expect(await state()).toEqual(before);
  });

  it('a token that has keks:admin and nothing else may, and gives nothing that nobody can be given', async () => {
    const one = await owner('user');
    const token = await keks.login(one.name, 'keks:admin');
    const before = await state();
    for (const scope of ['keks:account', 'offline_access', 'cookies:eat keks:account'])
      if (body)
        expectError(
          await send(keks.url, method, path(one), token, { ...named(), scope }),
          400,
          'invalid_scope',
        );
    expect(await state()).toEqual(before);
    expect([200, 201]).toContain((await send(keks.url, method, path(one), token, named())).status);
    expect((await get(keks.url, '/cookies', token)).status).toBe(403);
  });
});
