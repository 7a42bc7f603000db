import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService, type NewClient } from '../../src/auth/clients/clients.service.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import {
  addClient,
  basic,
  BY_OPERATOR,
  expectRefusal,
  issued,
  secretPost,
  submit,
  type Parameters,
  type TestClient,
} from '../support/oauth.js';
import { get, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { answerOf, authorizePath, pkce, Visitor, type Shown } from '../support/visitor.js';
import { expectError, send } from '../support/wire.js';

const DONE = 'https://app.example/done';
const ISSUER = 'http://127.0.0.1:3000';
const { verifier, challenge } = pkce();

let keks: TestApp;
let open: string;
let other: string;
/** Has to push. */
let strict: string;
let secret: TestClient;

const addPublic = async (client: Partial<NewClient> = {}): Promise<string> => {
  const given: NewClient = {
    name: 'My app',
    scope: ['cookies:eat', 'cookies:bake'],
    audience: [],
    resources: [],
    tokenFormat: 'opaque',
    redirectUris: [DONE],
  };
  return (await keks.app.get(ClientsService).addPublic({ ...given, ...client }, BY_OPERATOR)).clientId;
};

const asked = (more: Record<string, string> = {}): Record<string, string> => ({
  response_type: 'code',
  client_id: open,
  redirect_uri: DONE,
  state: 's t&=',
  code_challenge: challenge,
  code_challenge_method: 'S256',
  ...more,
});

const push = (parameters: Parameters, headers: Record<string, string> = {}): Promise<Answer> =>
  submit(keks.url, '/oauth/par', parameters, headers);

async function pushed(more: Record<string, string> = {}): Promise<string> {
  const answer = await push(asked(more));
  expect(answer.status).toBe(201);
  return (answer.body as { request_uri: string }).request_uri;
}

/** As the client sends a browser. */
const pathOf = (requestUri: string, more: Record<string, string> = {}, clientId = open): string =>
  `/oauth/authorize?${new URLSearchParams({ client_id: clientId, request_uri: requestUri, ...more })}`;

const at = (path: string): Promise<Shown> => new Visitor(keks.url).open(path);

const exchange = (code: string, clientId = open): Promise<Answer> =>
  submit(keks.url, '/oauth/token', {
    ...{ grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: DONE },
    client_id: clientId,
  });

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Ann', 'cookies:eat keks:admin');
  open = await addPublic();
  other = await addPublic({ name: 'Other' });
  strict = await addPublic({ name: 'Strict', requirePushed: true });
  secret = await addClient(keks, { name: 'Server', redirectUris: [DONE] });
});

afterAll(() => keks.close());

describe('POST /oauth/par (RFC 9126 §2)', () => {
  it('201: a request_uri and how long it is good for; not to be stored (§2.2)', async () => {
    const answer = await push(asked());
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{43}$/),
        expires_in: 90,
      },
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('authenticates the client as the token endpoint does (§2.1)', async () => {
    const { client_id: _, ...rest } = asked();
    expect((await push(rest, basic(secret))).status).toBe(201);
    expect((await push({ ...rest, ...secretPost(secret) })).status).toBe(201);
    expectRefusal(await push(asked({ client_id: secret.clientId })), 401, 'invalid_client');
    expectRefusal(await push(rest), 401, 'invalid_client');
    expectRefusal(await push(asked({ client_id: other }), basic(secret)), 400, 'invalid_request');
  });

  it.each([
    ['a request_uri (§2.1)', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
    ['a request object', { request: 'e30.e30.' }, 'invalid_request'],
    ['no redirect address', { redirect_uri: '' }, 'invalid_request'],
    ['an address that is not registered', { redirect_uri: 'https://evil.example/' }, 'invalid_request'],
    ['response_type=token', { response_type: 'token' }, 'unsupported_response_type'],
    ['no code_challenge', { code_challenge: '' }, 'invalid_request'],
    ['code_challenge_method=plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['more scope than the client has', { scope: 'cookies:burn' }, 'invalid_scope'],
    ['an API that it may not reach', { resource: 'https://far.example' }, 'invalid_target'],
    ['an unknown prompt', { prompt: 'dance' }, 'invalid_request'],
  ])('400: looks at what /oauth/authorize would look at: %s', async (_, more, error) => {
    expectRefusal(await push(asked(more)), 400, error);
  });

  it('400: a client that acts for itself; a parameter that comes twice; 413: what is too long', async () => {
    const { client_id: _, ...rest } = asked();
    expectRefusal(await push(rest, basic(await addClient(keks))), 400, 'unauthorized_client');
    expectRefusal(
      await push([...Object.entries(asked()), ['scope', 'a'], ['scope', 'b']]),
      400,
      'invalid_request',
    );
    expectRefusal(await push(asked({ state: 'x'.repeat(9_000) })), 413, 'payload_too_large');
  });

  it('405 for GET (§2.3), 415 for JSON', async () => {
    expectError(await get(keks.url, '/oauth/par'), 405, 'method_not_allowed');
    expectError(
      await send(keks.url, 'POST', '/oauth/par', undefined, asked()),
      415,
      'unsupported_media_type',
    );
  });

  it('429: no more than 100 of one network wait at a client without a secret', async () => {
    const crowded = await addPublic();
    await keks.database.client.query(
      `INSERT INTO pushed_requests (digest, expires_at, client_id, network, parameters)
       SELECT sha256(($1 || n)::bytea), now() + interval '1 min', $1, '127.0.0.1', '' FROM generate_series(1, 100) AS n`,
      [crowded],
    );
    const full = await push(asked({ client_id: crowded }));
    expectRefusal(full, 429, 'too_many_requests');
    expect(full.headers.get('retry-after')).toBe('60');
    expect((await push(asked())).status).toBe(201);
  });

  it('stores neither the reference nor a secret in clear', async () => {
    const answer = await push({ ...asked({ state: 'look for me' }), ...secretPost(secret) });
    const { request_uri: uri } = answer.body as { request_uri: string };
    const { rows } = await keks.database.client.query<{ row: string }>(
      "SELECT p::text AS row FROM pushed_requests p WHERE parameters LIKE '%look+for+me%'",
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(secret.clientSecret);
    expect(rows[0]?.row).not.toContain(uri.slice(-43));
    expect(keks.log.join('')).not.toContain(uri.slice(-43));
  });
});

describe('GET /oauth/authorize with a request_uri (§4)', () => {
  it('signs in, asks and answers as without; and the request is answered once', async () => {
    const path = pathOf(await pushed({ scope: 'cookies:eat' }));
    const visitor = new Visitor(keks.url);
    const page = await visitor.signIn(await visitor.open(path), 'Ann');
    expect([page.status, page.text.includes('>Allow<')]).toEqual([200, true]);
    // until there is an answer, a page may be loaded again
    expect((await visitor.open(path)).text).toContain('>Allow<');
    const answer = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
    expect(answer).toMatchObject({ state: 's t&=', iss: ISSUER });
    expect(issued(await exchange(answer['code'] ?? '')).scope).toBe('cookies:eat');
    for (const again of [
      await visitor.open(path),
      await visitor.submit(page, 'consent', { decision: 'allow' }),
    ])
      expect([again.status, again.location, again.text.includes('This request is over')]).toEqual([
        400,
        undefined,
        true,
      ]);
  });

  it('two say yes at once: one code', async () => {
    const path = pathOf(await pushed());
    const visitor = new Visitor(keks.url);
    const page = await visitor.signIn(await visitor.open(path), 'Ann');
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => visitor.submit(page, 'consent', { decision: 'allow' })),
    );
    expect(answers.filter((one) => answerOf(one)['code'] !== undefined)).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
  });

  it('an error is an answer, too', async () => {
    const path = pathOf(await pushed({ prompt: 'none' }));
    expect(answerOf(await at(path))['error']).toBe('login_required');
    expect((await at(path)).status).toBe(400);
    const denied = pathOf(await pushed());
    const visitor = new Visitor(keks.url);
    const page = await visitor.signIn(await visitor.open(denied), 'Ann');
    expect(answerOf(await visitor.submit(page, 'consent', { decision: 'deny' }))['error']).toBe(
      'access_denied',
    );
    expect((await visitor.open(denied)).status).toBe(400);
  });

  it('takes nothing but what was pushed: other parameters are ignored (RFC 9101 §6.3)', async () => {
    const uri = await pushed({ scope: 'cookies:eat' });
    const more = {
      redirect_uri: 'https://evil.example/',
      state: 'mine',
      scope: 'cookies:bake',
      prompt: 'none',
    };
    const visitor = new Visitor(keks.url);
    const page = await visitor.signIn(await visitor.open(pathOf(uri, more)), 'Ann');
    expect(page.text).not.toContain('evil.example');
    expect(page.text).not.toContain('cookies:bake');
    const answer = await visitor.submit(page, 'consent', { decision: 'allow' });
    expect(answer.location?.startsWith(`${DONE}?`)).toBe(true);
    expect(answerOf(answer)['state']).toBe('s t&=');
  });

  it('tells the person of another client’s, an unknown one and one that has waited for too long', async () => {
    const uri = await pushed();
    for (const path of [
      pathOf(uri, {}, other),
      pathOf(`${uri.slice(0, -1)}_`),
      pathOf('urn:ietf:params:oauth:request_uri:'),
      `/oauth/authorize?${new URLSearchParams({ request_uri: uri })}`,
    ])
      expect([path, (await at(path)).status]).toEqual([path, 400]);
    expect((await at(pathOf(uri))).status).toBe(200);
    const late = await pushed();
    keks.clock.advance(91);
    expect((await at(pathOf(late))).status).toBe(400);
    // who has come in time may take the time to sign in
    const page = await at(pathOf(uri));
    expect([page.status, page.text.includes('name="password"')]).toEqual([200, true]);
    keks.clock.advance(1_200);
    expect((await at(pathOf(uri))).status).toBe(400);
  });

  it('prompt=login: asks for the password once; "not you?" asks again', async () => {
    const visitor = new Visitor(keks.url);
    await visitor.signIn(await visitor.open(pathOf(await pushed())), 'Ann');
    const first = await visitor.open(pathOf(await pushed({ prompt: 'login' })));
    expect(first.text).toContain('name="password"');
    const page = await visitor.signIn(first, 'Ann');
    expect(page.text).toContain('>Allow<');
    const link = /href="authorize\?([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const again = await visitor.open(`/oauth/authorize?${link}`);
    expect(again.text).toContain('name="password"');
    expect((await visitor.signIn(again, 'Ann')).text).toContain('>Allow<');
    // a mark that somebody made up, or that is another request's, opens nothing
    const forged = pathOf(await pushed({ prompt: 'login' }), { login: '1.x' });
    expect((await visitor.open(forged)).text).toContain('name="password"');
    const mark = new URLSearchParams(link).get('login') ?? '';
    const next = pathOf(await pushed({ prompt: 'login' }), { login: mark });
    expect((await visitor.open(next)).text).toContain('name="password"');
  });
});

describe('a client that has to push (§6)', () => {
  it('is refused without, at its own address, and let in with', async () => {
    const answer = await at(
      authorizePath({ client_id: strict, redirect_uri: DONE, code_challenge: challenge }),
    );
    expect(answerOf(answer)).toMatchObject({ error: 'invalid_request', state: 's t&=', iss: ISSUER });
    const path = pathOf(await pushed({ client_id: strict }), {}, strict);
    const visitor = new Visitor(keks.url);
    const page = await visitor.signIn(await visitor.open(path), 'Ann');
    const { code = '' } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
    issued(await exchange(code, strict));
  });

  it('is made one, and let off, by an administrator', async () => {
    const admin = await keks.login('Ann');
    const body = { name: 'Bank', redirect_uris: [DONE], require_pushed_authorization_requests: true };
    const added = await send(keks.url, 'POST', '/admin/clients', admin, body);
    expect(added).toMatchObject({ status: 201, body: { require_pushed_authorization_requests: true } });
    const path = `/admin/clients/${(added.body as { client_id: string }).client_id}`;
    const change = { require_pushed_authorization_requests: false };
    expect(await send(keks.url, 'PATCH', path, admin, change)).toMatchObject({ status: 200, body: change });
  });
});

it('the metadata names the endpoint, and that it is required of nobody but single clients (§5)', async () => {
  const { body } = await get(keks.url, '/.well-known/oauth-authorization-server');
  expect(body).toMatchObject({
    pushed_authorization_request_endpoint: `${ISSUER}/oauth/par`,
    require_pushed_authorization_requests: false,
  });
});

it('what was pushed is purged a day after its end', async () => {
  await pushed();
  const count = async (): Promise<number | undefined> =>
    (await keks.database.client.query<{ n: number }>('SELECT count(*)::int AS n FROM pushed_requests'))
      .rows[0]?.n;
  keks.clock.advance(23 * 3_600);
  await keks.app.get(Maintenance).run();
  expect(await count()).toBeGreaterThan(0);
  keks.clock.advance(2 * 3_600);
  await keks.app.get(Maintenance).run();
  expect(await count()).toBe(0);
});
