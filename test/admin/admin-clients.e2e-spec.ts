import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { expectError, pages, send, tally, type Method, type Page } from '../support/wire.js';

interface Client {
  readonly client_id: string;
  readonly name: string;
  readonly secret_id: string;
  readonly client_secret: string;
}

const NOBODY = '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11';

let keks: TestApp;
let admin: string;

const call = (method: Method, path: string, body?: unknown, token = admin): Promise<Answer> =>
  send(keks.url, method, path, token, body);
const add = async (body: object = {}): Promise<Client> => {
  const answer = await call('POST', '/admin/clients', { name: 'Oven', scope: 'cookies:bake', ...body });
  expect(answer.status).toBe(201);
  return answer.body as Client;
};
const getToken = (client: { client_id: string; client_secret: string }, scope = ''): Promise<Answer> =>
  request(keks.url, '/oauth/token', {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.client_id,
      client_secret: client.client_secret,
      scope,
    }),
  });
const tokenOf = async (client: Client): Promise<string> =>
  ((await getToken(client)).body as { access_token: string }).access_token;
const status = async (token: string): Promise<number> =>
  (await post(keks.url, '/validate', { token })).status;
const show = async (client: Client): Promise<{ secrets: { id: string }[] }> =>
  (await call('GET', `/admin/clients/${client.client_id}`)).body as { secrets: { id: string }[] };

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Boss', 'keks:admin');
  admin = await keks.login('Boss');
});

afterAll(() => keks.close());

describe.each([
  ['GET', '/admin/clients'],
  ['POST', '/admin/clients'],
  ['GET', '/admin/clients/c-none'],
  ['PATCH', '/admin/clients/c-none'],
  ['POST', '/admin/clients/c-none/revoke'],
  ['POST', '/admin/clients/c-none/secrets'],
  ['DELETE', `/admin/clients/c-none/secrets/${NOBODY}`],
] as const)('%s %s', (method, path) => {
  it('401 without a token, 403 without keks:admin', async () => {
    const body = method === 'POST' || method === 'PATCH' ? {} : undefined;
    expectError(await send(keks.url, method, path, undefined, body), 401, 'unauthorized');
    const token = await keks.login('Boss', 'keks:account');
    expectError(await call(method, path, body, token), 403, 'insufficient_scope');
  });
});

describe('POST /admin/clients', () => {
  it('201: a client, with a secret that works at once and is shown once', async () => {
    const answer = await call('POST', '/admin/clients', {
      name: 'Oven',
      scope: 'cookies:bake',
      audience: ['https://oven.example'],
      resources: ['https://shop.example'],
      token_format: 'opaque',
    });
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        client_id: expect.stringMatching(/^c-[0-9a-f]{24}$/),
        client_secret: expect.stringMatching(/^kcs_/),
        secret_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: 'Oven',
        scope: 'cookies:bake',
        audience: ['https://oven.example'],
        resources: ['https://shop.example'],
        redirect_uris: [],
        device_grant: false,
        require_pushed_authorization_requests: false,
        token_endpoint_auth_method: 'client_secret_basic',
        self_registered: false,
        token_format: 'opaque',
        dpop_bound_access_tokens: false,
        token_exchange: false,
        disabled: false,
        created_at: expect.stringMatching(/Z$/),
      },
    ]);
    const client = answer.body as Client;
    expect((await getToken(client)).status).toBe(200);
    const { client_id: id, client_secret: secret, secret_id: secretId, ...rest } = client;
    const shown = await call('GET', `/admin/clients/${id}`);
    expect(shown.body).toEqual({
      client_id: id,
      ...rest,
      secrets: [{ id: secretId, created_at: expect.any(String) }],
    });
    expect(JSON.stringify((await call('GET', '/admin/clients')).body)).not.toContain(secret);
  });

  it.each([
    [{}, 'invalid_request'],
    [{ name: '' }, 'invalid_request'],
    [{ name: 7 }, 'invalid_request'],
    [{ name: 'Oven', audience: 'https://oven.example' }, 'invalid_request'],
    [{ name: 'Oven', audience: ['oven'] }, 'invalid_request'],
    [{ name: 'Oven', audience: ['https://oven.example#x'] }, 'invalid_request'],
    [{ name: 'Oven', resources: ['oven'] }, 'invalid_request'],
    [{ name: 'Oven', resources: 'https://oven.example' }, 'invalid_request'],
    [{ name: 'Oven', token_format: 'paper' }, 'invalid_request'],
    [{ name: 'Oven', token_exchange: 'yes' }, 'invalid_request'],
    [{ name: 'Oven', token_exchange: true, redirect_uris: ['https://app.example/done'] }, 'invalid_request'],
    [{ name: 'Oven', token_exchange: true, device_grant: true }, 'invalid_request'],
    [{ name: 'Oven', scope: 'keks:account' }, 'invalid_scope'],
    [{ name: 'Oven', scope: 'offline_access' }, 'invalid_scope'],
    [{ name: 'Oven', scope: 'a  b' }, 'invalid_scope'],
  ])('400: %j is %s', async (body, error) => {
    expectError(await call('POST', '/admin/clients', body), 400, error);
  });

  it.each(['keks', 'KEKS'])('409: %s, which is the authority itself', async (name) => {
    expectError(await call('POST', '/admin/clients', { name }), 409, 'name_taken');
  });
});

describe('GET /admin/clients', () => {
  it('200: newest first, page by page, each once, whoever is added meanwhile', async () => {
    for (let at = 0; at < 4; at += 1) await add();
    const all = (await pages<Client>(keks.url, '/admin/clients?limit=100', admin)).flat();
    const found = await pages<Client>(keks.url, '/admin/clients?limit=2', admin, () => add());
    expect(found.flat()).toEqual(all);
  });

  it('400: the cursor of another list', async () => {
    for (let at = 0; at < 2; at += 1) await keks.addUser(`Somebody ${at}`);
    const { next } = (await call('GET', '/admin/users?limit=1')).body as Page<object>;
    expectError(await call('GET', `/admin/clients?cursor=${next}`), 400, 'invalid_request');
  });
});

describe('GET /admin/clients/:id', () => {
  it.each(['c-none', NOBODY, '%00', '%F0%9F%8D%AA', 'x'.repeat(129)])('404: %s', async (id) => {
    expectError(await call('GET', `/admin/clients/${id}`), 404, 'not_found');
  });
});

describe('PATCH /admin/clients/:id', () => {
  it('200: "disabled": true ends everything at once; false gives nothing back, but lets in again', async () => {
    const client = await add();
    const token = await tokenOf(client);
    const path = `/admin/clients/${client.client_id}`;
    expect((await call('PATCH', path, { disabled: true })).body).toEqual(
      expect.objectContaining({ disabled: true }),
    );
    expect(await status(token)).toBe(401);
    expectError(await getToken(client), 401, 'invalid_client');
    expect((await call('PATCH', path, { disabled: false })).status).toBe(200);
    expect([await status(token), (await getToken(client)).status]).toEqual([401, 200]);
  });

  it('200: an API less ends its tokens; one more does not', async () => {
    const client = await add();
    const path = `/admin/clients/${client.client_id}`;
    const resources = ['https://shop.example', 'https://oven.example'];
    const first = await tokenOf(client);
    expect((await call('PATCH', path, { resources })).body).toEqual(expect.objectContaining({ resources }));
    expect(await status(first)).toBe(200);
    expect((await call('PATCH', path, { disabled: false })).body).toEqual(
      expect.objectContaining({ resources }),
    );
    await call('PATCH', path, { resources: resources.slice(1) });
    expect(await status(first)).toBe(401);
  });

  it('200: exchanging tokens is switched on, and switched off with all that it has', async () => {
    const client = await add();
    const path = `/admin/clients/${client.client_id}`;
    const token = await tokenOf(client);
    for (const on of [true, false]) {
      const answer = await call('PATCH', path, { token_exchange: on });
      expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ token_exchange: on })]);
      expect(await status(token)).toBe(on ? 200 : 401);
    }
    const app = await add({ redirect_uris: ['https://app.example/done'] });
    const refused = await call('PATCH', `/admin/clients/${app.client_id}`, { token_exchange: true });
    expectError(refused, 400, 'invalid_request');
  });

  it('200: less scope ends its tokens; more does not', async () => {
    const client = await add({ scope: 'cookies:bake cookies:eat' });
    const path = `/admin/clients/${client.client_id}`;
    const first = await tokenOf(client);
    await call('PATCH', path, { scope: 'cookies:bake cookies:eat cookies:burn' });
    expect(await status(first)).toBe(200);
    await call('PATCH', path, { scope: 'cookies:bake' });
    expect(await status(first)).toBe(401);
    expectError(await getToken(client, 'cookies:eat'), 400, 'invalid_scope');
    expect((await getToken(client)).body).toEqual(expect.objectContaining({ scope: 'cookies:bake' }));
  });

  it.each([
    [{}, 'invalid_request'],
    [{ disabled: 1 }, 'invalid_request'],
    [{ resources: null }, 'invalid_request'],
    [{ resources: ['oven'] }, 'invalid_request'],
    [{ scope: 'keks:account' }, 'invalid_scope'],
  ])('400: %j is %s', async (body, error) => {
    expectError(await call('PATCH', `/admin/clients/${(await add()).client_id}`, body), 400, error);
  });

  it('404: nobody', async () => {
    expectError(await call('PATCH', '/admin/clients/c-none', { disabled: true }), 404, 'not_found');
  });
});

describe('POST /admin/clients/:id/revoke', () => {
  it('204: every token is dead, and it may get new ones', async () => {
    const [client, other] = [await add(), await add()];
    const [token, bystander] = [await tokenOf(client), await tokenOf(other)];
    expect((await call('POST', `/admin/clients/${client.client_id}/revoke`)).status).toBe(204);
    expect([await status(token), await status(bystander)]).toEqual([401, 200]);
    expect(await status(await tokenOf(client))).toBe(200);
  });

  it('404: nobody', async () => {
    expectError(await call('POST', '/admin/clients/c-none/revoke'), 404, 'not_found');
  });

  it('race: no token that was answered before the end was heard of outlives it (5 rounds against 60 requests)', async () => {
    for (let round = 0; round < 5; round += 1) {
      const client = await add();
      const asked = Array.from({ length: 60 }, () => getToken(client));
      const before = await asked[0];
      const ended = call('PATCH', `/admin/clients/${client.client_id}`, { disabled: true });
      const answers = await Promise.all(asked);
      expect((await ended).status).toBe(200);
      expect(before?.status).toBe(200);
      for (const answer of answers) {
        expect([200, 401, 503]).toContain(answer.status);
        if (answer.status === 200)
          expect(await status((answer.body as { access_token: string }).access_token)).toBe(401);
      }
    }
  });
});

describe('/admin/clients/:id/secrets', () => {
  it('201: a second secret beside the first; 400 for a third; 204 takes one back, and its tokens live on', async () => {
    const client = await add();
    const path = `/admin/clients/${client.client_id}/secrets`;
    const token = await tokenOf(client);
    const answer = await call('POST', path);
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        client_id: client.client_id,
        client_secret: expect.stringMatching(/^kcs_/),
        secret_id: expect.any(String),
      },
    ]);
    const second = answer.body as Client;
    expect([(await getToken(client)).status, (await getToken(second)).status]).toEqual([200, 200]);
    expectError(await call('POST', path), 400, 'invalid_request');
    expect((await show(client)).secrets.map(({ id }) => id).sort()).toEqual(
      [client.secret_id, second.secret_id].sort(),
    );
    expect((await call('DELETE', `${path}/${client.secret_id}`)).status).toBe(204);
    expectError(await getToken(client), 401, 'invalid_client');
    expect([(await getToken(second)).status, await status(token)]).toEqual([200, 200]);
    expectError(await call('DELETE', `${path}/${client.secret_id}`), 404, 'not_found');
  });

  it('404: a secret of another client, which lives on', async () => {
    const [client, other] = [await add(), await add()];
    const path = `/admin/clients/${client.client_id}/secrets/${other.secret_id}`;
    expectError(await call('DELETE', path), 404, 'not_found');
    expect((await getToken(other)).status).toBe(200);
  });

  it('race: of 20 at once one makes the second secret', async () => {
    const client = await add();
    const path = `/admin/clients/${client.client_id}/secrets`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', path)));
    expect(tally(answers)).toEqual({ 201: 1, 400: 19 });
  });

  it('404: nobody', async () => {
    expectError(await call('POST', '/admin/clients/c-none/secrets'), 404, 'not_found');
  });

  it('tells the audit log who, and which secret by its id', async () => {
    const client = await add();
    const path = `/admin/clients/${client.client_id}/secrets`;
    await call('POST', path);
    await call('DELETE', `${path}/${client.secret_id}`);
    const { items } = (await call('GET', `/admin/audit?client_id=${client.client_id}`)).body as Page<{
      type: string;
      actor: string;
      request_id: string | null;
    }>;
    expect(items.map(({ type, actor }) => [type, actor]).sort()).toEqual([
      ['client.added', 'user:Boss'],
      ['client.secret_added', 'user:Boss'],
      ['client.secret_retired', 'user:Boss'],
    ]);
    expect(items.every((event) => event.request_id !== null)).toBe(true);
    expect(JSON.stringify(items)).not.toContain(client.client_secret);
  });
});

describe('a client with keks:admin', () => {
  it('may operate, under its own name; and has no account to look after', async () => {
    const robot = await add({ scope: 'keks:admin' });
    const token = await tokenOf(robot);
    const { client_id: id } = (await call('POST', '/admin/clients', { name: 'Made by a robot' }, token))
      .body as Client;
    const { items } = (await call('GET', `/admin/audit?client_id=${id}`)).body as Page<{ actor: string }>;
    expect(items.map((event) => event.actor)).toEqual([`client:${robot.client_id}`]);
    expectError(await call('GET', '/sessions', undefined, token), 403, 'insufficient_scope');
    await keks.database.client.query(`UPDATE access_tokens SET scope = 'keks:account'`);
    for (const [method, path] of [
      ['GET', '/sessions'],
      ['DELETE', '/sessions'],
      ['GET', '/keys'],
    ] as const)
      expectError(await call(method, path, undefined, token), 403, 'insufficient_scope');
  });
});
