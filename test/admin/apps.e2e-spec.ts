import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRedirectUri, isRegistered } from '../../src/auth/clients/redirect-uris.js';
import { expectRefusal, isAlive, issued, submit } from '../support/oauth.js';
import { startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { expectError, send, type Method } from '../support/wire.js';

interface App {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly redirect_uris: string[];
  readonly token_endpoint_auth_method: string;
}

const DONE = 'https://app.example/done';

let keks: TestApp;
let admin: string;

const call = (method: Method, path: string, body?: unknown): Promise<Answer> =>
  send(keks.url, method, path, admin, body);
const add = async (body: object): Promise<App> => {
  const answer = await call('POST', '/admin/clients', { name: 'App', scope: 'cookies:eat', ...body });
  expect(answer.status).toBe(201);
  return answer.body as App;
};
const forItself = ({ client_id: id, client_secret: secret }: App): Promise<Answer> =>
  submit(keks.url, '/oauth/token', {
    grant_type: 'client_credentials',
    client_id: id,
    ...(secret !== undefined && { client_secret: secret }),
  });

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Boss', 'keks:admin');
  admin = await keks.login('Boss');
});

afterAll(() => keks.close());

describe('POST /admin/clients with redirect_uris', () => {
  it('201: an app with a secret, and what it may is shown wherever it is', async () => {
    const app = await add({ redirect_uris: [DONE, 'com.example.app:/done'] });
    expect(app.client_secret).toMatch(/^kcs_/);
    const expected = {
      redirect_uris: [DONE, 'com.example.app:/done'],
      token_endpoint_auth_method: 'client_secret_basic',
    };
    expect(app).toMatchObject(expected);
    expect((await call('GET', `/admin/clients/${app.client_id}`)).body).toMatchObject(expected);
  });

  it('201: a public one gets no secret, and never can (RFC 6749 §2.1)', async () => {
    const app = await add({ redirect_uris: [DONE], token_endpoint_auth_method: 'none' });
    expect(app).toMatchObject({ token_endpoint_auth_method: 'none' });
    expect(app).not.toHaveProperty('client_secret');
    expect(app).not.toHaveProperty('secret_id');
    const { body } = await call('GET', `/admin/clients/${app.client_id}`);
    expect(body).toMatchObject({ secrets: [] });
    expectError(await call('POST', `/admin/clients/${app.client_id}/secrets`), 400, 'invalid_request');
  });

  it.each([
    [{ token_endpoint_auth_method: 'none' }, 'invalid_request', 'redirect_uris'],
    [{ token_endpoint_auth_method: 'none', redirect_uris: [] }, 'invalid_request', 'redirect_uris'],
    [{ token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_request', 'token_endpoint_auth_method'],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_request', 'jwks'],
    [{ redirect_uris: DONE }, 'invalid_request', 'redirect_uris'],
    [{ redirect_uris: [DONE, DONE] }, 'invalid_request', 'redirect_uris'],
    [{ redirect_uris: ['http://app.example/done'] }, 'invalid_request', 'redirect_uris'],
    [{ redirect_uris: [DONE], scope: 'keks:admin' }, 'invalid_scope', 'scope'],
    [{ redirect_uris: [DONE], scope: 'keys:make' }, 'invalid_scope', 'scope'],
  ])('400: %j is %s, and names %s', async (body, error, parameter) => {
    const answer = await call('POST', '/admin/clients', { name: 'App', ...body });
    expectError(answer, 400, error);
    expect(answer.body).toMatchObject({ parameter });
  });
});

describe('PATCH /admin/clients/:id with redirect_uris', () => {
  it('200: who acts for people from now on loses what it had for itself, at once', async () => {
    const app = await add({});
    const token = issued(await forItself(app)).access_token;
    const changed = await call('PATCH', `/admin/clients/${app.client_id}`, { redirect_uris: [DONE] });
    expect([changed.status, (changed.body as App).redirect_uris]).toEqual([200, [DONE]]);
    expect(await isAlive(keks, token)).toBe(false);
    expectRefusal(await forItself(app), 400, 'unauthorized_client');
  });

  it('400: nothing changes if a public one would have none, or an app a scope of the authority', async () => {
    const app = await add({ redirect_uris: [DONE], token_endpoint_auth_method: 'none' });
    const path = `/admin/clients/${app.client_id}`;
    expectError(await call('PATCH', path, { redirect_uris: [] }), 400, 'invalid_request');
    expectError(await call('PATCH', path, { scope: 'keks:admin' }), 400, 'invalid_scope');
    expect((await call('GET', path)).body).toMatchObject({ redirect_uris: [DONE], scope: 'cookies:eat' });
  });
});

describe('an app at /oauth/*', () => {
  it('gets nothing for itself, with a secret or without (RFC 6749 §4.4)', async () => {
    expectRefusal(await forItself(await add({ redirect_uris: [DONE] })), 400, 'unauthorized_client');
    const open = await add({ redirect_uris: [DONE], token_endpoint_auth_method: 'none' });
    expectRefusal(await forItself(open), 400, 'unauthorized_client');
  });

  it('is refused by its name alone if it has a secret', async () => {
    const { client_id } = await add({ redirect_uris: [DONE] });
    expectRefusal(await forItself({ client_id } as App), 401, 'invalid_client');
  });

  it('that is public may revoke, and may not introspect: anybody can say its name (RFC 7662 §2.1)', async () => {
    const { client_id } = await add({ redirect_uris: [DONE], token_endpoint_auth_method: 'none' });
    const form = { token: admin, client_id };
    expectRefusal(await submit(keks.url, '/oauth/introspect', form), 401, 'invalid_client');
    expectRefusal(await submit(keks.url, '/oauth/revoke', form), 400, 'unauthorized_client');
    await call('PATCH', `/admin/clients/${client_id}`, { disabled: true });
    expectRefusal(await submit(keks.url, '/oauth/revoke', form), 401, 'invalid_client');
  });
});

describe('a redirect address', () => {
  it.each([
    'https://app.example',
    'https://app.example/done?a=b',
    'https://app.example:8443/done',
    'http://127.0.0.1/done',
    'http://127.0.0.1:4000/done',
    'http://[::1]/done',
    'http://localhost:4000/done',
    'com.example.app:/done',
    'com.example.app://done',
  ])('may be %s', (uri) => {
    expect(isRedirectUri(uri)).toBe(true);
  });

  it.each([
    'https://app.example/done#fragment',
    'https://*.app.example/done',
    'https://user@app.example/',
    'https://app.example\\@evil.example/',
    'https:app.example/done',
    'https:///app.example/done',
    'https://a(b/',
    'https://a)b/',
    'https://a%28b/',
    "https://a'$&+;=b/",
    'https://[::1/',
    'https://APP.example/done',
    'https://0x7f.1/done',
    'http://app.example/done',
    'http://127.0.0.1.evil.example/',
    'http://127.1/done',
    'http:/127.0.0.1/done',
    'javascript:alert(1)',
    'data:text/html,hello',
    'file:///etc/passwd',
    'app:/done',
    'COM.example:/done',
    '/done',
    '',
    'https://app.example/a b',
    'https://app.example/\n',
    `https://app.example/${'a'.repeat(1_000)}`,
  ])('may not be %j', (uri) => {
    expect(isRedirectUri(uri)).toBe(false);
  });

  it('is compared letter by letter (RFC 9700 §2.1)', () => {
    const registered = ['https://app.example/done', 'http://localhost:4000/done'];
    expect(isRegistered('https://app.example/done', registered)).toBe(true);
    for (const other of [
      'https://app.example/done/',
      'https://app.example/done?a',
      'https://app.example/Done',
      'https://app.example:443/done',
      'https://app.example/x/../done',
      'https://app.example/%64one',
      'http://localhost:4001/done',
      'http://localhost/done',
    ])
      expect(isRegistered(other, registered)).toBe(false);
  });

  it('on this computer may have any port, and nothing else differs (RFC 8252 §7.3)', () => {
    const registered = ['http://127.0.0.1/done', 'http://[::1]:80/done'];
    for (const uri of [
      'http://127.0.0.1:1/done',
      'http://127.0.0.1:65535/done',
      'http://[::1]:9/done',
      'http://[::1]/done',
    ])
      expect(isRegistered(uri, registered)).toBe(true);
    for (const uri of [
      'http://127.0.0.1:65536/done',
      'http://127.0.0.1:1/done/',
      'http://127.0.0.2:1/done',
      'http://localhost:1/done',
      'https://127.0.0.1:1/done',
      'http://127.0.0.1:1@evil.example/done',
      'http://127.0.0.1:1.evil.example/done',
    ])
      expect(isRegistered(uri, registered)).toBe(false);
  });
});

describe('a scope that there cannot be', () => {
  it.each(['%00', 'a%20b', '%22', '%F0%9F%8D%AA'])(
    '404: %s, whatever is done with its words',
    async (scope) => {
      expectError(await call('PUT', `/admin/scopes/${scope}`, { description: 'x' }), 404, 'not_found');
      expectError(await call('DELETE', `/admin/scopes/${scope}`), 404, 'not_found');
    },
  );
});

describe('GET /admin/scopes?all=true', () => {
  it('lists what routes ask for, what was described, granted, or named beside an API, and nothing that cannot be given', async () => {
    await keks.addUser('Baker', 'cookies:bake keks:metrics');
    await call('POST', '/admin/clients', {
      name: 'Van',
      scope: 'cookies:carry',
      resources: ['https://oven.example oven:open oven:close'],
    });
    await call('PUT', '/admin/scopes/cookies:smell', { description: 'smell your cookies' });
    const { items } = (await call('GET', '/admin/scopes?all=true')).body as {
      items: { scope: string; description: string | null }[];
    };
    expect(items.map(({ scope }) => scope)).toEqual([
      ...['cookies:bake', 'cookies:carry', 'cookies:eat', 'cookies:smell', 'keks:admin', 'keks:metrics'],
      ...['oven:close', 'oven:open'],
    ]);
    expect(items.filter(({ description }) => description !== null)).toEqual([
      { scope: 'cookies:smell', description: 'smell your cookies' },
    ]);
    for (const query of ['', '?all=false'])
      expect((await call('GET', `/admin/scopes${query}`)).body).toEqual({
        items: [{ scope: 'cookies:smell', description: 'smell your cookies' }],
        next: null,
      });
    expectError(await call('GET', '/admin/scopes?all=maybe'), 400, 'invalid_request');
  });
});
