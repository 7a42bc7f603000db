import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { basic, expectRefusal, isAlive, issued, refresh, submit } from '../support/oauth.js';
import { askForCodes, codesOf, DEVICE_GRANT, poll, sendForm, typeCode } from '../support/device.js';
import { get, post, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { answerBehind, answerOf, authorizePath, pkce, Visitor } from '../support/visitor.js';
import { send } from '../support/wire.js';

const DONE = 'http://127.0.0.1/done';
const WANTED = { redirect_uris: [DONE], client_name: 'Calendar', token_endpoint_auth_method: 'none' };

const BY_DEVICE_TOO = { grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT] };

interface Registered {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly registration_client_uri: string;
  readonly registration_access_token: string;
  readonly [name: string]: unknown;
}

let keks: TestApp;
let address = 0;

/** Each from an address of its own: how many may come from one is a test of its own. */
const register = (
  body: unknown,
  headers: Record<string, string> = {},
  at: TestApp = keks,
): Promise<Answer> => {
  address += 1;
  return post(at.url, '/oauth/register', body, {
    'x-forwarded-for': `10.0.${address >> 8}.${address & 255}`,
    ...headers,
  });
};

const registered = async (
  more: object = {},
  headers?: Record<string, string>,
  at?: TestApp,
): Promise<Registered> => {
  const answer = await register({ ...WANTED, ...more }, headers, at);
  expect(answer).toMatchObject({ status: 201 });
  return answer.body as Registered;
};

/** At the client's own address, with its own token unless said otherwise. */
const manage = (
  method: 'GET' | 'PUT' | 'DELETE',
  client: Registered,
  body?: object,
  token = client.registration_access_token,
): Promise<Answer> =>
  request(keks.url, new URL(client.registration_client_uri).pathname, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });

/** A person lets it in. */
async function letIn(client: Registered, scope = 'cookies:eat offline_access', at = keks) {
  const { verifier, challenge } = pkce();
  const visitor = new Visitor(at.url);
  const path = authorizePath({
    client_id: client.client_id,
    redirect_uri: DONE,
    code_challenge: challenge,
    scope,
  });
  const page = await visitor.signIn(await visitor.open(path), 'Ann');
  const { code = '' } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
  const secret = client.client_secret;
  const answer = await submit(
    at.url,
    '/oauth/token',
    {
      ...{ grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: DONE },
      ...(secret === undefined && { client_id: client.client_id }),
    },
    secret === undefined ? {} : basic({ clientId: client.client_id, clientSecret: secret }),
  );
  return { page, answer };
}

const counted = async (): Promise<number> => {
  const { rows } = await keks.database.client.query<{ count: number }>(
    'SELECT count(*)::int FROM clients WHERE self_registered',
  );
  return rows[0]?.count ?? -1;
};

beforeAll(async () => {
  keks = await startTestApp({
    TRUST_PROXY: '127.0.0.1',
    REGISTRATION: 'open',
    REGISTRATION_SCOPE: 'cookies:eat cookies:bake',
    REGISTRATION_RESOURCES: 'https://oven.example',
    MAX_REGISTERED_CLIENTS: '60',
  });
  await keks.addUser('Ann', 'cookies:eat keks:admin');
});

afterAll(() => keks.close());

describe('POST /oauth/register', () => {
  it('201: what is registered, with defaults, and how to manage it (RFC 7591 §3.2.1, RFC 7592 §3)', async () => {
    const answer = await register({ redirect_uris: [DONE] });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('pragma')).toBe('no-cache');
    const { client_id: id } = answer.body as Registered;
    expect(answer.body).toEqual({
      client_id: expect.stringMatching(/^c-[0-9a-f]{24}$/),
      client_id_issued_at: expect.any(Number),
      client_secret: expect.stringMatching(/^kcs_/),
      client_secret_expires_at: 0,
      registration_client_uri: `http://127.0.0.1:3000/oauth/register/${id}`,
      registration_access_token: expect.stringMatching(/^kra_/),
      redirect_uris: [DONE],
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      require_pushed_authorization_requests: false,
      dpop_bound_access_tokens: false,
      client_name: 'Unnamed client',
      scope: 'cookies:eat cookies:bake',
    });
  });

  it('ignores members that it does not know, and leaves out what it does not offer (RFC 7591 §2, §3.2.1)', async () => {
    const client = await registered({
      logo_uri: 'https://app.example/logo.png',
      software_statement: 'e30.e30.',
      contacts: [1],
      grant_types: ['authorization_code', 'refresh_token', 'implicit', 'password'],
      response_types: ['code', 'token'],
      scope: 'cookies:eat keks:admin offline_access',
    });
    expect(client).toMatchObject({
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'cookies:eat',
    });
    expect(client).not.toHaveProperty('logo_uri');
    expect(client).not.toHaveProperty('client_secret');
    expect(client).not.toHaveProperty('client_secret_expires_at');
  });

  describe('400: says what cannot be (RFC 7591 §3.2.2), and registers nothing', () => {
    it.each([
      ['no address', { redirect_uris: undefined }, 'invalid_redirect_uri'],
      ['an empty list', { redirect_uris: [] }, 'invalid_redirect_uri'],
      ['a text in place of a list', { redirect_uris: DONE }, 'invalid_redirect_uri'],
      ['a number in the list', { redirect_uris: [7] }, 'invalid_redirect_uri'],
      ['plain HTTP elsewhere', { redirect_uris: ['http://app.example/done'] }, 'invalid_redirect_uri'],
      ['a wildcard', { redirect_uris: ['https://*.example/done'] }, 'invalid_redirect_uri'],
      ['a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
      ['a fragment', { redirect_uris: [`${DONE}#x`] }, 'invalid_redirect_uri'],
      [
        'too many',
        { redirect_uris: Array.from({ length: 21 }, (_, i) => `${DONE}${i}`) },
        'invalid_redirect_uri',
      ],
      ['an unknown method', { token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_client_metadata'],
      ['no grant type that is offered', { grant_types: ['password'] }, 'invalid_client_metadata'],
      ['no response type that is offered', { response_types: ['token'] }, 'invalid_client_metadata'],
      ['a name that is none', { client_name: '' }, 'invalid_client_metadata'],
      ['a name that turns the text around', { client_name: 'a\u202eb' }, 'invalid_client_metadata'],
      ['the name of the authority', { client_name: 'KEKS' }, 'invalid_client_metadata'],
      ['a name that is a number', { client_name: 7 }, 'invalid_client_metadata'],
      ['only scopes of the authority', { scope: 'keks:admin' }, 'invalid_client_metadata'],
      ['a malformed scope', { scope: 'a  b' }, 'invalid_client_metadata'],
      ['no address beside a device', { ...BY_DEVICE_TOO, redirect_uris: [] }, 'invalid_redirect_uri'],
      ['a text for a yes', { dpop_bound_access_tokens: 'true' }, 'invalid_client_metadata'],
      ['a number for a no', { require_pushed_authorization_requests: 0 }, 'invalid_client_metadata'],
    ])('%s', async (_, more, error) => {
      const before = await counted();
      expectRefusal(await register({ ...WANTED, ...more }), 400, error);
      expect(await counted()).toBe(before);
    });
  });

  it('415: takes JSON only', async () => {
    const answer = await submit(keks.url, '/oauth/register', { redirect_uris: DONE });
    expect(answer.status).toBe(415);
  });

  it('lets people let it in, who are told that nobody has checked it; and never acts for itself', async () => {
    const client = await registered({
      client_name: '<b>Bank</b>',
      token_endpoint_auth_method: 'client_secret_post',
    });
    const { page, answer } = await letIn(client);
    expect(page.text).toContain('Nobody here has checked who this is');
    expect(page.text).toContain('first seen here on');
    expect(page.text).toContain('&lt;b&gt;Bank');
    const tokens = issued(answer);
    expect(tokens.scope).toBe('cookies:eat');
    expect((await get(keks.url, '/cookies', tokens.access_token)).status).toBe(200);
    const secret = { clientId: client.client_id, clientSecret: client.client_secret ?? '' };
    expect(issued(await refresh(keks, tokens.refresh_token ?? '', {}, basic(secret))).scope).toBe(
      'cookies:eat',
    );
    expectRefusal(
      await submit(keks.url, '/oauth/token', { grant_type: 'client_credentials' }, basic(secret)),
      400,
      'unauthorized_client',
    );
  });

  it('never gets a scope of the authority, whatever a person has', async () => {
    const client = await registered();
    const path = authorizePath({
      ...{ client_id: client.client_id, redirect_uri: DONE, scope: 'keks:admin' },
      code_challenge: pkce().challenge,
    });
    expect(answerBehind(await new Visitor(keks.url).open(path))['error']).toBe('invalid_scope');
  });

  it('gets device codes if it has registered that grant, and not otherwise; people are told that nobody has checked it (RFC 8628)', async () => {
    const plain = await registered();
    expectRefusal(
      await askForCodes(keks.url, { client_id: plain.client_id, scope: 'cookies:eat' }),
      400,
      'unauthorized_client',
    );
    const television = await registered({ grant_types: [DEVICE_GRANT], redirect_uris: [DONE] });
    // without the grant of codes there is nowhere to send anybody
    expect(television).toMatchObject({ grant_types: [DEVICE_GRANT], redirect_uris: [], response_types: [] });
    const named = { client_id: television.client_id };
    const codes = codesOf(await askForCodes(keks.url, { ...named, scope: 'cookies:eat' }));
    const visitor = new Visitor(keks.url);
    const page = await typeCode(visitor, 'Ann', codes.user_code);
    expect(page.text).toContain('Nobody here has checked who this is');
    expect(page.text).toContain('not verified');
    await sendForm(visitor, page, 'consent', { decision: 'allow' });
    const { access_token: token } = issued(await poll(keks.url, codes.device_code, named));
    expect(await isAlive(keks, token)).toBe(true);
    const both = { ...WANTED, ...BY_DEVICE_TOO, client_id: television.client_id };
    expect(await manage('PUT', television, both)).toMatchObject({ status: 200, body: BY_DEVICE_TOO });
    expect(await isAlive(keks, token)).toBe(true);
    const without = { ...WANTED, client_id: television.client_id };
    expect((await manage('PUT', television, without)).status).toBe(200);
    expect(await isAlive(keks, token)).toBe(false);
    expectRefusal(await askForCodes(keks.url, named), 400, 'unauthorized_client');
  });

  it('may bind itself: to DPoP (RFC 9449 §5.2) and to pushed requests (RFC 9126 §6)', async () => {
    const bound = { dpop_bound_access_tokens: true, require_pushed_authorization_requests: true };
    const client = await registered(bound);
    expect(client).toMatchObject(bound);
    expect((await manage('GET', client)).body).toMatchObject(bound);
    const asked = { client_id: client.client_id, redirect_uri: DONE, code_challenge: pkce().challenge };
    const visitor = new Visitor(keks.url);
    const refused = await visitor.open(authorizePath(asked));
    expect(answerBehind(refused)).toMatchObject({ error: 'invalid_request' });
    const pushed = await submit(keks.url, '/oauth/par', {
      ...asked,
      response_type: 'code',
      code_challenge_method: 'S256',
    });
    expect(pushed.status).toBe(201);
    const { request_uri: name } = pushed.body as { request_uri: string };
    const path = `/oauth/authorize?${new URLSearchParams({ client_id: client.client_id, request_uri: name })}`;
    const { verifier } = pkce();
    expect((await visitor.open(path)).status).toBe(200);
    const form = { grant_type: 'authorization_code', client_id: client.client_id, redirect_uri: DONE };
    const answer = await submit(keks.url, '/oauth/token', {
      ...form,
      code: 'kac_x',
      code_verifier: verifier,
    });
    expectRefusal(answer, 400, 'invalid_dpop_proof');
    const free = await manage('PUT', client, { ...WANTED, client_id: client.client_id });
    expect(free.body).toMatchObject({
      dpop_bound_access_tokens: false,
      require_pushed_authorization_requests: false,
    });
  });

  it('is marked where administrators look, and in the audit log', async () => {
    const admin = await keks.login('Ann');
    const client = await registered();
    const shown = await get(keks.url, `/admin/clients/${client.client_id}`, admin);
    expect(shown.body).toMatchObject({ self_registered: true, resources: ['https://oven.example'] });
    const { items } = (await get(keks.url, '/admin/audit', admin)).body as { items: object[] };
    expect(items).toContainEqual(
      expect.objectContaining({
        type: 'client.registered',
        actor: `client:${client.client_id}`,
        detail: expect.objectContaining({ name: 'Calendar', public: true, redirect_uris: [DONE] }),
      }),
    );
    const text = JSON.stringify(items) + keks.log.join('');
    expect(text).not.toContain(client.registration_access_token);
    const added = await post(
      keks.url,
      '/admin/clients',
      { name: 'Ours' },
      { authorization: `Bearer ${admin}` },
    );
    expect(added.body).toMatchObject({ self_registered: false });
  });
});

describe('/oauth/register/{client_id}', () => {
  let client: Registered;

  beforeEach(async () => {
    client = await registered({ token_endpoint_auth_method: 'client_secret_basic' });
  });

  const whole = (more: object = {}): object => ({
    ...{ client_id: client.client_id, redirect_uris: [DONE], client_name: 'Calendar' },
    ...more,
  });

  it('200: reads it (RFC 7592 §2.1), without the secret, which nobody has', async () => {
    const answer = await manage('GET', client);
    const { client_secret: _, ...rest } = client;
    expect([answer.status, answer.body]).toEqual([200, rest]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each(['GET', 'PUT', 'DELETE'] as const)(
    '401 %s: without its own token (RFC 7592 §2, RFC 6750 §3.1)',
    async (method) => {
      const other = await registered();
      const body = method === 'PUT' ? whole() : undefined;
      for (const token of [
        other.registration_access_token,
        await keks.login('Ann'),
        client.client_secret,
        `kra_${'A'.repeat(43)}`,
      ]) {
        const refused = await manage(method, client, body, token);
        expect([refused.status, refused.body]).toMatchObject([401, { error: 'invalid_token' }]);
        expect(refused.headers.get('www-authenticate')).toMatch(
          /^Bearer realm="CookieFactory", error="invalid_token"/,
        );
      }
      const nobody = await manage(method, client, body, '');
      expect([nobody.status, nobody.body]).toMatchObject([401, { error: 'unauthorized' }]);
      expect((await manage('GET', client)).status).toBe(200);
    },
  );

  it.each(['%00', 'c-%00', '%F0%9F%8D%AA'])('401: of a name that nobody can have: %s', async (name) => {
    for (const method of ['GET', 'DELETE']) {
      const headers = { authorization: `Bearer ${client.registration_access_token}` };
      const answer = await request(keks.url, `/oauth/register/${name}`, { method, headers });
      expect([answer.status, answer.body]).toMatchObject([401, { error: 'invalid_token' }]);
    }
  });

  it('opens nothing else with its token', async () => {
    expect((await get(keks.url, '/cookies', client.registration_access_token)).status).toBe(401);
    expect((await post(keks.url, '/validate', { token: client.registration_access_token })).status).toBe(401);
  });

  it('200: replaces it whole (RFC 7592 §2.2); an absent member is as if it had never been there', async () => {
    const answer = await manage('PUT', client, {
      ...whole({
        client_name: undefined,
        scope: 'cookies:eat',
        redirect_uris: [DONE, 'https://app.example/done'],
      }),
      client_secret: client.client_secret,
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      client_id: client.client_id,
      client_name: 'Unnamed client',
      redirect_uris: [DONE, 'https://app.example/done'],
      scope: 'cookies:eat',
      token_endpoint_auth_method: 'client_secret_basic',
      registration_access_token: client.registration_access_token,
    });
    expect(await manage('GET', client)).toMatchObject({ body: answer.body });
  });

  it.each([
    ['another client_id', { client_id: 'c-000000000000000000000000' }],
    ['no client_id', { client_id: undefined }],
    ['another secret', { client_secret: 'kcs_x' }],
    ['a registration_access_token', { registration_access_token: 'kra_x' }],
    ['a registration_client_uri', { registration_client_uri: 'https://x.example' }],
    ['a client_secret_expires_at', { client_secret_expires_at: 0 }],
    ['a client_id_issued_at', { client_id_issued_at: 0 }],
    ['a method without a secret', { token_endpoint_auth_method: 'none' }],
  ])(
    '400: %s, which a client MUST NOT send or change (RFC 7592 §2.2), and changes nothing',
    async (_, more) => {
      expectRefusal(await manage('PUT', client, whole(more)), 400, 'invalid_client_metadata');
      expect((await manage('GET', client)).body).toMatchObject({
        client_name: 'Calendar',
        scope: client['scope'],
      });
    },
  );

  it('400: an address that cannot be', async () => {
    expectRefusal(
      await manage('PUT', client, whole({ redirect_uris: ['http://x.example'] })),
      400,
      'invalid_redirect_uri',
    );
  });

  it.each([
    ['a new name', { client_name: 'Bank' }],
    ['an address less', { redirect_uris: ['https://app.example/other'] }],
    ['a scope less', { scope: 'cookies:bake' }],
  ])('%s ends what it has got: people have let in who it was', async (_, more) => {
    const { access_token: token } = issued((await letIn(client)).answer);
    expect((await manage('PUT', client, whole())).status).toBe(200);
    expect(await isAlive(keks, token)).toBe(true);
    expect((await manage('PUT', client, whole(more))).status).toBe(200);
    expect(await isAlive(keks, token)).toBe(false);
  });

  it('204: takes it away, with all that it has got (RFC 7592 §2.3)', async () => {
    const { access_token: token } = issued((await letIn(client)).answer);
    const unused = await registered();
    for (const one of [client, unused]) {
      expect((await manage('DELETE', one)).status).toBe(204);
      expect((await manage('GET', one)).status).toBe(401);
      expect((await manage('DELETE', one)).status).toBe(401);
    }
    expect(await isAlive(keks, token)).toBe(false);
    const path = authorizePath({
      client_id: client.client_id,
      redirect_uri: DONE,
      code_challenge: pkce().challenge,
    });
    expect((await new Visitor(keks.url).open(path)).status).toBe(400);
    const { rows } = await keks.database.client.query('SELECT 1 FROM clients WHERE client_id = $1', [
      unused.client_id,
    ]);
    expect(rows).toEqual([]);
  });

  it('401: of a client that an administrator has disabled', async () => {
    const admin = await keks.login('Ann');
    await send(keks.url, 'PATCH', `/admin/clients/${client.client_id}`, admin, { disabled: true });
    expect((await manage('GET', client)).status).toBe(401);
  });
});

describe('how many', () => {
  it('429: more attempts from one network than REGISTRATIONS_PER_ADDRESS, for an hour, and nobody else pays', async () => {
    const mine = { 'x-forwarded-for': '2001:db8:1:2::1' };
    const neighbour = { 'x-forwarded-for': '2001:db8:1:2::2' };
    await Promise.all(Array.from({ length: 20 }, () => register({}, mine)));
    const refused = await register(WANTED, neighbour);
    expectRefusal(refused, 429, 'too_many_requests');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect((await register(WANTED, { 'x-forwarded-for': '2001:db8:1:3::1' })).status).toBe(201);
    keks.clock.advance(3_600);
    expect((await register(WANTED, neighbour)).status).toBe(201);
  });

  it('unused ones go after REGISTRATION_UNUSED_TTL, others and ours stay; the log says so', async () => {
    const unused = await registered();
    const used = await registered();
    issued((await letIn(used)).answer);
    keks.clock.advance(86_400 + 60);
    await keks.app.get(Maintenance).purge();
    expect((await manage('GET', unused)).status).toBe(401);
    expect((await manage('GET', used)).status).toBe(200);
    const { rows } = await keks.database.client.query<{ client_id: string }>(
      `SELECT detail->>'client_id' AS client_id FROM audit_events WHERE type = 'client.expired' AND actor = 'keks'`,
    );
    expect(rows.map(({ client_id: id }) => id)).toContain(unused.client_id);
    const { rows: ours } = await keks.database.client.query(`SELECT 1 FROM clients WHERE name = 'Ours'`);
    expect(ours).toHaveLength(1);
  });

  it('one that somebody lets in at that very moment stays', async () => {
    const late = await registered();
    keks.clock.advance(86_400 + 60);
    const { client } = keks.database;
    await client.query('BEGIN');
    // as a consent does: the client's row is held until the grant is there
    await client.query('SELECT 1 FROM clients WHERE client_id = $1 FOR SHARE', [late.client_id]);
    await client.query(
      `INSERT INTO grants (kind, user_id, client_id, epoch, scope, expires_at)
       SELECT 'consent', id, $1, epoch, 'cookies:eat', '2100-01-01Z' FROM users WHERE name = 'Ann'`,
      [late.client_id],
    );
    await keks.app.get(Maintenance).purge();
    await client.query('COMMIT');
    expect((await manage('GET', late)).status).toBe(200);
    await keks.app.get(Maintenance).purge();
    expect((await manage('GET', late)).status).toBe(200);
  });

  it('429: never more than MAX_REGISTERED_CLIENTS in all, however many come at once', async () => {
    await keks.database.client.query(
      `INSERT INTO clients (client_id, name, scope, audience, token_format, self_registered)
       SELECT 'c-' || n, 'x', '', '{}', 'opaque', true FROM generate_series(1, 58 - (SELECT count(*)::int FROM clients WHERE self_registered AND disabled_at IS NULL)) n`,
    );
    const answers = await Promise.all(Array.from({ length: 8 }, () => register(WANTED)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    const [refused] = answers.filter(({ status }) => status !== 201);
    expectRefusal(refused as Answer, 429, 'too_many_requests');
    expect(refused?.headers.get('retry-after')).toBe('3600');
  });
});

describe('REGISTRATION=token', () => {
  let closed: TestApp;
  let admin: string;

  beforeAll(async () => {
    closed = await startTestApp({
      TRUST_PROXY: '127.0.0.1',
      REGISTRATION: 'token',
      REGISTRATION_SCOPE: 'cookies:eat',
    });
    await closed.addUser('Ann', 'cookies:eat keks:admin');
    admin = await closed.login('Ann');
  });

  afterAll(() => closed.close());

  const make = async (more: object = {}): Promise<{ id: string; initial_access_token: string }> => {
    const answer = await send(closed.url, 'POST', '/admin/initial-access-tokens', admin, {
      label: 'bakers',
      ...more,
    });
    expect(answer.status).toBe(201);
    return answer.body as { id: string; initial_access_token: string };
  };
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

  it('401: without an initial access token, or with anything else (RFC 7591 §3, RFC 6750)', async () => {
    const nobody = await register(WANTED, {}, closed);
    expect([nobody.status, nobody.body]).toMatchObject([401, { error: 'unauthorized' }]);
    for (const token of [admin, `kri_${'A'.repeat(43)}`]) {
      // before the body is judged
      const refused = await register({}, bearer(token), closed);
      expect([refused.status, refused.body]).toMatchObject([401, { error: 'invalid_token' }]);
    }
  });

  it('registers as many clients as it was made for, of any number that come at once, and a refused one costs nothing', async () => {
    const { id, initial_access_token: token } = await make({ uses: 2 });
    expectRefusal(await register({}, bearer(token), closed), 400, 'invalid_redirect_uri');
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => register(WANTED, bearer(token), closed)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 401, 401, 401, 401]);
    const { rows } = await closed.database.client.query<{ detail: object }>(
      `SELECT detail FROM audit_events WHERE type = 'client.registered' AND detail->>'initial_token_id' = $1`,
      [id],
    );
    expect(rows).toHaveLength(2);
    expect(closed.log.join('')).not.toContain(token);
  });

  it('is over in time, and when it is taken back', async () => {
    const short = await make({ expires_in: 60 });
    closed.clock.advance(61);
    expect((await register(WANTED, bearer(short.initial_access_token), closed)).status).toBe(401);
    admin = await closed.login('Ann');
    const taken = await make();
    const list = await get(closed.url, '/admin/initial-access-tokens', admin);
    expect(list.body).toMatchObject({ items: [{ id: taken.id, label: 'bakers', uses_left: 1 }, {}, {}] });
    expect(JSON.stringify(list.body)).not.toContain('kri_');
    const path = `/admin/initial-access-tokens/${taken.id}`;
    expect((await send(closed.url, 'DELETE', path, admin)).status).toBe(204);
    expect((await send(closed.url, 'DELETE', path, admin)).status).toBe(404);
    expect((await register(WANTED, bearer(taken.initial_access_token), closed)).status).toBe(401);
  });
});

describe('discovery', () => {
  it('names the endpoint where it is there (RFC 8414 §2), and there is none by default', async () => {
    const where = '/.well-known/oauth-authorization-server';
    expect((await get(keks.url, where)).body).toMatchObject({
      registration_endpoint: 'http://127.0.0.1:3000/oauth/register',
    });
    const off = await startTestApp();
    try {
      expect((await get(off.url, where)).body).not.toHaveProperty('registration_endpoint');
      expect((await post(off.url, '/oauth/register', WANTED)).status).toBe(404);
      expect((await get(off.url, '/oauth/register/c-1')).status).toBe(404);
    } finally {
      await off.close();
    }
  });
});
