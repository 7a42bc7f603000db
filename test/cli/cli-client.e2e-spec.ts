import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from '../support/keks-here.js';
import { only } from '../support/keks.js';
import { environment, get, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

interface Secret {
  readonly client_id: string;
  readonly client_secret: string;
}

describe('keks client', () => {
  let app: TestApp;
  let settings: Record<string, string>;

  beforeAll(async () => {
    app = await startTestApp();
    settings = environment(app.database.url);
  });

  afterAll(() => app.close());

  const { run, json, refused } = commandLine(() => settings, 'client');
  const tokenFor = ({ client_id, client_secret }: Secret): Promise<Answer> =>
    request(app.url, '/oauth/token', {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }),
    });

  it('add: id and secret, which work; list: everything but the secret', async () => {
    const audiences = ['--audience', 'https://a.example', '--audience', 'https://b.example'];
    const args = ['add', 'night baker', '--scope', 'cookies:eat', ...audiences];
    const added = await json<Secret>(...args, '--resource', 'https://c.example', '--token-format', 'jwt');
    expect(added).toEqual({
      client_id: expect.stringMatching(/^c-[0-9a-f]{24}$/),
      client_secret: expect.stringMatching(/^kcs_/),
      scope: 'cookies:eat',
      audience: ['https://a.example', 'https://b.example'],
      resources: ['https://c.example'],
    });
    const { access_token: token } = (await tokenFor(added)).body as { access_token: string };
    expect(token.split('.')).toHaveLength(3);
    expect((await get(app.url, '/cookies', token)).status).toBe(200);
    const { stdout } = await run('list', '--json');
    expect(only(stdout)).toEqual([
      expect.objectContaining({
        client_id: added.client_id,
        name: 'night baker',
        resources: ['https://c.example'],
        token_format: 'jwt',
        disabled: false,
      }),
    ]);
    expect(stdout).not.toContain(added.client_secret);
  });

  it('add --public: an app without a secret, and where its answers go', async () => {
    const uri = 'http://127.0.0.1/done';
    const args = ['add', 'an app', '--public', '--redirect-uri', uri, '--scope', 'cookies:eat'];
    const { client_id: id, ...added } = await json<Secret>(...args);
    expect(added).toEqual({ scope: 'cookies:eat', audience: [], resources: [], redirect_uris: [uri] });
    expect(await json('show', id)).toMatchObject({
      redirect_uris: [uri],
      token_endpoint_auth_method: 'none',
      secrets: [],
    });
    expect(await refused('rotate-secret', id)).toEqual([1, 'invalid_request']);
    expect(await refused('add', 'an app', '--public')).toEqual([1, 'invalid_request']);
    expect(await refused('add', 'an app', '--redirect-uri', 'http://app.example')).toEqual([
      1,
      'invalid_request',
    ]);
  });

  it('rotate-secret: both secrets work, a third is refused; --retire-old: the older one is dead', async () => {
    const first = await json<Secret>('add', 'rotating', '--scope', 'cookies:eat');
    expect(await refused('rotate-secret', first.client_id, '--retire-old')).toEqual([1, 'invalid_request']);
    const second = await json<Secret>('rotate-secret', first.client_id);
    expect((await tokenFor(first)).status).toBe(200);
    expect((await tokenFor(second)).status).toBe(200);
    expect(await refused('rotate-secret', first.client_id)).toEqual([1, 'invalid_request']);
    expect(await json('rotate-secret', first.client_id, '--retire-old')).toEqual({
      client_id: first.client_id,
      retired: 1,
    });
    expect((await tokenFor(first)).status).toBe(401);
    expect((await tokenFor(second)).status).toBe(200);
  });

  it('add: warns of an API that no token will be good for', async () => {
    const warned = async (...args: string[]) =>
      (await json<Secret & { warnings?: string[] }>('add', 'api', ...args)).warnings;
    expect(await warned('--audience', 'http://localhost:3000')).toEqual([
      expect.stringMatching(/ is http:\/\/localhost:3000, and tokens are for http:\/\/127\.0\.0\.1:3000: /),
    ]);
    expect(await warned()).toEqual([expect.stringMatching(/^it has no audience, .*127\.0\.0\.1:3000$/)]);
    expect(await warned('--audience', 'http://127.0.0.1:3000')).toBeUndefined();
    expect(await warned('--scope', 'cookies:eat')).toBeUndefined();
    const { stdout } = await run('add', 'api', '--audience', 'http://localhost:3000/');
    expect(stdout).toMatch(/\n +Warning: the audience of c-\S+ \(api\) is [^\n]+\.\n$/);
  });

  it('set-resources: for which APIs it gets tokens; what it got for others is dead', async () => {
    await json('add', 'tea', '--audience', 'https://tea.example', '--audience', 'https://milk.example');
    const added = await json<Secret>('add', 'thirsty', '--scope', 'tea:pour cookies:eat');
    const { client_id, client_secret } = added;
    const wish = (resource: string): Promise<Answer> =>
      request(app.url, '/oauth/token', {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', resource, client_id, client_secret }),
      });
    expect((await wish('https://tea.example')).status).toBe(400);
    const resources = ['https://tea.example tea:pour', 'https://milk.example'];
    expect(await json('set-resources', added.client_id, ...resources)).toMatchObject({ resources });
    const { body } = await wish('https://tea.example');
    expect(body).toMatchObject({ scope: 'tea:pour' });
    expect((await run('show', added.client_id)).stdout).toContain(resources.join(', '));
    expect(await json('set-resources', added.client_id, '--none')).toMatchObject({ resources: [] });
    expect((await wish('https://milk.example')).status).toBe(400);
    const { access_token: token } = body as { access_token: string };
    expect(
      (
        await request(app.url, '/validate', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token }),
        })
      ).status,
    ).toBe(401);
  });

  it('add --exchange and set-exchange: whether it may exchange tokens (RFC 8693)', async () => {
    const flags = ['--exchange', '--audience', 'https://shop.example', '--resource', 'https://tea.example'];
    const client = await json<Secret>('add', 'shop', '--scope', 'tea:pour', ...flags);
    expect(client).toMatchObject({ token_exchange: true });
    expect((await run('show', client.client_id)).stdout).toMatch(/^ *exchanges tokens +yes$/m);
    for (const state of ['off', 'on'] as const)
      expect(await json('set-exchange', client.client_id, state)).toMatchObject({
        token_exchange: state === 'on',
      });
    expect((await run('set-exchange', client.client_id, 'on')).stdout).toContain('https://tea.example');
    const app = ['add', 'app', '--public', '--redirect-uri', 'http://127.0.0.1/done', '--exchange'];
    expect(await refused(...app)).toEqual([1, 'invalid_request']);
  });

  it('add --dpop and set-dpop: whether it gets only tokens that are bound to a key (RFC 9449 §5.2)', async () => {
    const client = await json<Secret>('add', 'bound', '--scope', 'cookies:eat', '--dpop');
    expect(client).toMatchObject({ dpop_bound_access_tokens: true });
    expect((await tokenFor(client)).body).toMatchObject({ error: 'invalid_dpop_proof' });
    expect((await run('show', client.client_id)).stdout).toMatch(/^ *tokens +bound to a key \(DPoP\)$/m);
    for (const [state, status] of [
      ['off', 200],
      ['on', 400],
    ] as const) {
      const bound = { dpop_bound_access_tokens: state === 'on' };
      expect(await json('set-dpop', client.client_id, state)).toMatchObject(bound);
      expect((await tokenFor(client)).status).toBe(status);
    }
  });

  it('disable: its tokens are dead at once, and it gets no more; enable: it gets new ones', async () => {
    const client = await json<Secret>('add', 'switched', '--scope', 'cookies:eat');
    const { access_token: token } = (await tokenFor(client)).body as { access_token: string };
    expect(await json('disable', client.client_id)).toMatchObject({ disabled: true });
    expect((await get(app.url, '/cookies', token)).status).toBe(401);
    expect((await tokenFor(client)).status).toBe(401);
    expect(await json('enable', client.client_id)).toMatchObject({ disabled: false });
    expect((await tokenFor(client)).status).toBe(200);
    expect((await get(app.url, '/cookies', token)).status).toBe(401);
  });

  it.each([
    [['add', 'Keks'], 1, 'name_taken'],
    [['add', 'x', '--scope', 'keks:account'], 1, 'invalid_scope'],
    [['add', 'x', '--scope', 'a  b'], 1, 'invalid_scope'],
    [['add', 'x', '--audience', 'https://a.example/#part'], 1, 'invalid_request'],
    [['add', 'x', '--resource', 'api'], 1, 'invalid_request'],
    [['add', 'x', '--resource', 'urn:a keks:account'], 1, 'invalid_request'],
    [['set-resources', 'c-none', 'api'], 1, 'invalid_request'],
    [['set-resources', 'c-none', 'urn:a', 'urn:a tea:pour'], 1, 'invalid_request'],
    [['set-resources', 'c-none', 'urn:a'], 1, 'not_found'],
    [['set-resources', 'c-none'], 2, 'invalid_request'],
    [['set-resources', 'c-none', 'urn:a', '--none'], 2, 'invalid_request'],
    [['add', 'x', '--token-format', 'saml'], 2, 'invalid_request'],
    [['add'], 2, 'invalid_request'],
    [['rotate-secret', 'c-none'], 1, 'not_found'],
    [['disable', 'c-none'], 1, 'not_found'],
    [['set-dpop', 'c-none', 'on'], 1, 'not_found'],
    [['set-exchange', 'c-none', 'on'], 1, 'not_found'],
    [['set-exchange', 'c-none', 'maybe'], 2, 'invalid_request'],
    [['set-dpop', 'c-none', 'maybe'], 2, 'invalid_request'],
  ])('%j: exit %d, %s', async (args, code, error) => {
    expect(await refused(...args)).toEqual([code, error]);
  });
});
