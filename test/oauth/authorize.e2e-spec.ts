import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService, type NewClient } from '../../src/auth/clients/clients.service.js';
import {
  addClient,
  basic,
  BY_OPERATOR,
  expectRefusal,
  isAlive,
  issued,
  refresh,
  secretPost,
  submit,
  type Issued,
  type TestClient,
} from '../support/oauth.js';
import { get, PASSWORD, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { answerOf, authorizePath, hiddenOf, pkce, Visitor, type Shown } from '../support/visitor.js';
import { expectError, send } from '../support/wire.js';

const DONE = 'https://app.example/done';
const ISSUER = 'http://127.0.0.1:3000';

let keks: TestApp;
let open: string;
let other: string;
let secret: TestClient;

const addPublic = async (client: Partial<NewClient> = {}): Promise<string> => {
  const given = {
    name: 'My <b>app</b>',
    scope: ['cookies:eat', 'cookies:bake'],
    audience: [],
    resources: [],
    tokenFormat: 'opaque',
  } as const;
  return (
    await keks.app.get(ClientsService).addPublic({ ...given, redirectUris: [DONE], ...client }, BY_OPERATOR)
  ).clientId;
};

/** From a client's request to its answer, of somebody who says yes. */
async function allow(
  parameters: Record<string, string | undefined> = {},
  visitor = new Visitor(keks.url),
  remember = false,
): Promise<{ code: string; answer: Record<string, string>; visitor: Visitor; verifier: string }> {
  const { verifier, challenge } = pkce();
  const path = authorizePath({
    client_id: open,
    redirect_uri: DONE,
    code_challenge: challenge,
    ...parameters,
  });
  let page = await visitor.open(path);
  if (page.text.includes('name="password"')) page = await visitor.signIn(page, 'Ann');
  if (page.status === 200)
    page = await visitor.submit(page, 'consent', { decision: 'allow', ...(remember && { remember: 'yes' }) });
  expect(page.status).toBe(303);
  const answer = answerOf(page);
  return { code: answer['code'] ?? '', answer, visitor, verifier };
}

const exchange = (
  code: string,
  verifier: string,
  parameters: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> =>
  submit(
    keks.url,
    '/oauth/token',
    {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: DONE,
      ...(headers['authorization'] ? {} : { client_id: open }),
      ...parameters,
    },
    headers,
  );

const tokens = async (
  parameters: Record<string, string | undefined> = {},
  visitor?: Visitor,
): Promise<Issued> => {
  const { code, verifier } = await allow(parameters, visitor);
  return issued(
    await exchange(
      code,
      verifier,
      parameters['client_id'] === undefined ? {} : { client_id: parameters['client_id'] },
    ),
  );
};

const at = (parameters: Record<string, string | undefined>): Promise<Shown> =>
  new Visitor(keks.url).open(
    authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge, ...parameters }),
  );

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Ann', 'cookies:eat keks:admin');
  await keks.addUser('Bob', 'cookies:eat');
  open = await addPublic();
  other = await addPublic({ name: 'Other' });
  secret = await addClient(keks, { name: 'Server', redirectUris: [DONE] });
});

afterAll(() => keks.close());

describe('GET /oauth/authorize', () => {
  it.each(['%00', 'c-%00', '%F0%9F%8D%AA', 'constructor'])(
    'client_id=%s: a page that says that nobody has this name, and no fault',
    async (name) => {
      const answer = await fetch(`${keks.url}/oauth/authorize?response_type=code&client_id=${name}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
    },
  );

  it('a redirect address with what is special elsewhere is refused with a page', async () => {
    for (const uri of ['https://a(b/', 'https://a%28b/', 'https://[/', '\0']) {
      const query = new URLSearchParams({ response_type: 'code', client_id: open, redirect_uri: uri });
      expect((await fetch(`${keks.url}/oauth/authorize?${query}`)).status).toBe(400);
    }
  });

  describe('tells the person, and sends nobody anywhere (RFC 6749 §4.1.2.1, RFC 9700 §4.11)', () => {
    it.each([
      ['no client', { client_id: undefined }],
      ['an unknown client', { client_id: 'c-000000000000000000000000' }],
      ['no address', { redirect_uri: undefined }],
      ['an address that is not registered', { redirect_uri: 'https://evil.example/' }],
      ['one that only begins like it', { redirect_uri: `${DONE}/more` }],
    ])('%s', async (_, parameters) => {
      const page = await at(parameters);
      expect([page.status, page.location]).toEqual([400, undefined]);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(page.text).not.toContain('evil.example');
    });

    it('a client or an address that comes twice', async () => {
      const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });
      for (const more of [`&client_id=${open}`, `&redirect_uri=${encodeURIComponent(DONE)}`])
        expect((await new Visitor(keks.url).open(path + more)).status).toBe(400);
    });

    it('a client that is disabled, or that acts for itself', async () => {
      const plain = await addClient(keks);
      expect((await at({ client_id: plain.clientId })).status).toBe(400);
      const gone = await addPublic();
      await keks.app.get(ClientsService).change(gone, { disabled: true }, BY_OPERATOR);
      expect((await at({ client_id: gone })).status).toBe(400);
    });
  });

  describe('tells the client what is wrong with its request, with state and iss (RFC 6749 §4.1.2.1, RFC 9207 §2)', () => {
    it.each([
      ['no response_type', { response_type: undefined }, 'invalid_request'],
      ['response_type=token (RFC 9700 §2.1.2)', { response_type: 'token' }, 'unsupported_response_type'],
      ['no code_challenge (RFC 7636 §4.4.1)', { code_challenge: undefined }, 'invalid_request'],
      ['code_challenge_method=plain', { code_challenge_method: 'plain' }, 'invalid_request'],
      [
        'no code_challenge_method, which means plain',
        { code_challenge_method: undefined },
        'invalid_request',
      ],
      ['a code_challenge that is no SHA-256', { code_challenge: 'short' }, 'invalid_request'],
      ['a scope that the client does not have', { scope: 'cookies:burn' }, 'invalid_scope'],
      ['a malformed scope', { scope: 'a  b' }, 'invalid_scope'],
      [
        'an API that the client may not reach (RFC 8707 §2)',
        { resource: 'https://far.example' },
        'invalid_target',
      ],
      ['an unknown prompt', { prompt: 'dance' }, 'invalid_request'],
      ['prompt=none with another one', { prompt: 'none login' }, 'invalid_request'],
      ['an unknown response_mode', { response_mode: 'fragment' }, 'invalid_request'],
      ['a request object', { request: 'e30.e30.' }, 'request_not_supported'],
      ['a request_uri', { request_uri: 'https://app.example/r' }, 'request_uri_not_supported'],
      ['prompt=none while nobody is signed in', { prompt: 'none' }, 'login_required'],
    ])('%s', async (_, parameters, error) => {
      const answer = await at(parameters);
      expect([answer.status, answer.location?.startsWith(`${DONE}?`)]).toEqual([303, true]);
      expect(answerOf(answer)).toEqual({
        error,
        error_description: expect.any(String),
        state: 's t&=',
        iss: ISSUER,
      });
    });

    it('a parameter that comes twice (§3.1)', async () => {
      const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });
      expect(answerOf(await new Visitor(keks.url).open(`${path}&scope=a&scope=b`))['error']).toBe(
        'invalid_request',
      );
      const twice = answerOf(await new Visitor(keks.url).open(`${path}&state=x`));
      expect([twice['error'], twice['state']]).toEqual(['invalid_request', undefined]);
    });

    it('by the form that was asked for (response_mode=form_post)', async () => {
      const page = await at({ response_mode: 'form_post', scope: 'cookies:burn' });
      expect([page.status, page.location]).toEqual([200, undefined]);
      expect(page.text).toContain(`action="${DONE}"`);
      expect(page.text).toMatch(/name="error"\s+value="invalid_scope"/);
      expect(page.headers.get('content-security-policy')).toContain(
        "form-action 'self' https://app.example;",
      );
    });
  });

  it('keeps a query that the address has (§3.1.2), and takes any port of this computer (RFC 8252 §7.3)', async () => {
    const app = await addPublic({ redirectUris: ['https://app.example/d?a=b', 'http://127.0.0.1/d'] });
    const kept = await at({ client_id: app, redirect_uri: 'https://app.example/d?a=b', scope: 'x' });
    expect(kept.location).toMatch(/^https:\/\/app\.example\/d\?a=b&error=invalid_scope&/);
    const local = await at({ client_id: app, redirect_uri: 'http://127.0.0.1:4711/d', scope: 'x' });
    expect(local.location).toMatch(/^http:\/\/127\.0\.0\.1:4711\/d\?error=/);
  });

  it('405: no other method', async () => {
    expectError(await send(keks.url, 'POST', '/oauth/authorize', undefined, {}), 405, 'method_not_allowed');
  });
});

describe('the pages', () => {
  it('are in nobody’s frame, run no script, ask nobody else and are not kept (RFC 9700 §4.16, §4.2)', async () => {
    const page = await at({});
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self' https://app.example; frame-ancestors 'none'",
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.text).not.toMatch(/<script|style=|https?:\/\//);
  });

  it('show what a client calls itself as text', async () => {
    const page = await at({});
    expect(page.text).toContain('My &lt;b&gt;app&lt;/b&gt;');
    expect(page.text).not.toContain('<b>');
  });

  it('say who asks, where one is sent back to, and what it may, in the words of the administrator', async () => {
    const admin = await keks.login('Ann');
    const path = '/admin/scopes/cookies:eat';
    expect((await send(keks.url, 'PUT', path, admin, { description: 'eat your <cookies>' })).status).toBe(
      200,
    );
    expect((await get(keks.url, '/admin/scopes', admin)).body).toMatchObject({
      items: [{ scope: 'cookies:eat' }],
      next: null,
    });
    const visitor = new Visitor(keks.url);
    const login = await visitor.open(
      authorizePath({
        client_id: open,
        redirect_uri: DONE,
        code_challenge: pkce().challenge,
        scope: 'cookies:eat offline_access',
      }),
    );
    const page = await visitor.signIn(login, 'Ann');
    for (const said of [
      'app.example',
      'eat your &lt;cookies&gt;',
      'while you are away',
      '>Deny<',
      '>Allow<',
      'Ann',
    ])
      expect(page.text).toContain(said);
    expect((await send(keks.url, 'DELETE', path, admin)).status).toBe(204);
    expectError(await send(keks.url, 'DELETE', path, admin), 404, 'not_found');
    expectError(await send(keks.url, 'PUT', path, admin, { description: ' ' }), 400, 'invalid_request');
  });
});

describe('signing in', () => {
  it('sets a cookie that scripts cannot read, new at each login (fixation), listed and ended like every login', async () => {
    const visitor = new Visitor(keks.url);
    visitor.cookies.set('keks-session', 'planted');
    const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });
    const done = await visitor.submit(await visitor.open(path), 'login', { user: 'Bob', password: PASSWORD });
    expect([done.status, done.location]).toEqual([303, expect.stringMatching(/^\.\.\/authorize\?/)]);
    const [cookie = ''] = done.headers.getSetCookie();
    expect(cookie).toMatch(/^keks-session=kat_[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
    const first = visitor.cookies.get('keks-session') ?? '';
    expect(first).not.toBe('planted');
    // again, as prompt=login asks for: the one before ends
    const again = await visitor.open(`${path}&prompt=login`);
    expect((await visitor.signIn(again, 'Bob')).text).toContain('>Allow<');
    expect(visitor.cookies.get('keks-session')).not.toBe(first);
    expect(await isAlive(keks, first)).toBe(false);
    const bob = await keks.login('Bob');
    const { items } = (await get(keks.url, '/sessions', bob)).body as {
      items: { id: string; current: boolean }[];
    };
    const [session] = items.filter(({ current }) => !current);
    expect(items).toHaveLength(2);
    expect((await send(keks.url, 'DELETE', `/sessions/${session?.id}`, bob)).status).toBe(204);
    expect((await visitor.open(path)).text).toContain('name="password"');
  });

  it('opens no API: neither the cookie, nor what is in it as a bearer token; and no bearer token is a session', async () => {
    const { visitor } = await allow();
    const cookie = visitor.cookies.get('keks-session') ?? '';
    expect((await visitor.open('/cookies')).status).toBe(401);
    expect((await get(keks.url, '/cookies', cookie)).status).toBe(401);
    expect((await get(keks.url, '/sessions', cookie)).status).toBe(401);
    const bearer = new Visitor(keks.url);
    bearer.cookies.set('keks-session', await keks.login('Ann'));
    const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });
    expect((await bearer.open(path)).text).toContain('name="password"');
  });

  it('403: a wrong password, an unknown name: the same page, which says what to do', async () => {
    for (const [user, password] of [
      ['Ann', 'not this one'],
      ['Nobody', PASSWORD],
    ] as const) {
      const visitor = new Visitor(keks.url);
      const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });
      const page = await visitor.signIn(await visitor.open(path), user, password);
      expect([page.status, page.text.includes('is wrong'), page.text.includes(password)]).toEqual([
        403,
        true,
        false,
      ]);
      expect((await visitor.signIn(page, 'Ann')).text).toContain('>Allow<');
    }
  });

  it('403: a form of another browser, of another request, without a proof, or from another site (CSRF)', async () => {
    const visitor = new Visitor(keks.url);
    const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });
    const page = await visitor.open(path);
    const fields = { user: 'Ann', password: PASSWORD };
    const attacker = new Visitor(keks.url);
    const theirs = await attacker.open(path);
    for (const sent of [
      await visitor.submit(theirs, 'login', fields),
      await new Visitor(keks.url).submit(page, 'login', fields),
      await visitor.submit(page, 'login', { ...fields, request: `${hiddenOf(page).request}&x=y` }),
      await visitor.submit(page, 'login', { ...fields, proof: '1.x' }),
      await visitor.open('/oauth/authorize/login', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
        body: new URLSearchParams({ ...hiddenOf(page), ...fields }).toString(),
      }),
    ]) {
      expect([sent.status, sent.location]).toEqual([403, undefined]);
      expect(visitor.cookies.has('keks-session')).toBe(false);
    }
  });

  it('403: a page that was open for more than 10 minutes; 400: half a form', async () => {
    const visitor = new Visitor(keks.url);
    const page = await visitor.open(
      authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge }),
    );
    keks.clock.advance(601_000);
    const late = await visitor.submit(page, 'login', { user: 'Ann', password: PASSWORD });
    expect([late.status, late.text.includes('open for too long'), late.text.includes('Start again')]).toEqual(
      [403, true, true],
    );
    expect((await visitor.submit(page, 'login', { user: 'Ann' })).status).toBe(400);
  });
});

describe('signing out', () => {
  const path = (): string =>
    authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });

  it('ends the session and takes the cookie away; what was allowed lives on, and one can sign in again', async () => {
    const { code, visitor, verifier } = await allow();
    const { access_token: token } = issued(await exchange(code, verifier));
    const page = await visitor.open(path());
    const cookie = visitor.cookies.get('keks-session') ?? '';
    const left = await visitor.submit(page, 'sign-out');
    expect([left.status, left.text.includes('You are signed out')]).toEqual([200, true]);
    expect(left.headers.getSetCookie()).toEqual(['keks-session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0']);
    expect(await isAlive(keks, cookie)).toBe(false);
    expect(await isAlive(keks, token)).toBe(true);
    const [, again = ''] = /<a href="\.\.\/(authorize\?[^"]+)">Sign in again/.exec(left.text) ?? [];
    const login = await visitor.open(`/oauth/${again.replaceAll('&amp;', '&')}`);
    expect((await visitor.signIn(login, 'Ann')).text).toContain('>Allow<');
    const { rows } = await keks.database.client.query<{ actor: string; detail: object }>(
      "SELECT actor, detail FROM audit_events WHERE detail->>'reason' = 'signed_out'",
    );
    expect(rows).toMatchObject([{ actor: 'user:Ann', detail: { kind: 'login' } }]);
  });

  it('the page that was open before allows nothing any more, and signs out once more without harm', async () => {
    const { visitor } = await allow();
    const page = await visitor.open(path());
    await visitor.submit(page, 'sign-out');
    const late = await visitor.submit(page, 'consent', { decision: 'allow' });
    expect([late.status, late.location]).toEqual([403, undefined]);
    expect((await visitor.submit(page, 'sign-out')).status).toBe(200);
  });

  it('works however long the page was open', async () => {
    const { visitor } = await allow();
    const page = await visitor.open(path());
    keks.clock.advance(3_600);
    const cookie = visitor.cookies.get('keks-session') ?? '';
    expect((await visitor.submit(page, 'sign-out')).status).toBe(200);
    expect(await isAlive(keks, cookie)).toBe(false);
  });

  it('403: a form of another browser, with another proof, or from another site (CSRF): the session lives on', async () => {
    const { visitor } = await allow();
    const page = await visitor.open(path());
    const theirs = await (await allow()).visitor.open(path());
    const cookie = visitor.cookies.get('keks-session') ?? '';
    for (const sent of [
      await visitor.submit(theirs, 'sign-out'),
      await visitor.submit(page, 'sign-out', { proof: hiddenOf(page).proof }),
      await visitor.submit(page, 'sign-out', { request: 'client_id=another' }),
      await visitor.open('/oauth/authorize/sign-out', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
        body: new URLSearchParams(hiddenOf(page, 'sign-out')).toString(),
      }),
    ]) {
      expect([sent.status, sent.headers.getSetCookie()]).toEqual([403, []]);
      expect(await isAlive(keks, cookie)).toBe(true);
    }
    expect((await visitor.submit(page, 'sign-out', { proof: '' })).status).toBe(400);
  });
});

describe('the consent', () => {
  it('denied: the client is told access_denied, and gets nothing', async () => {
    const visitor = new Visitor(keks.url);
    const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });
    const page = await visitor.signIn(await visitor.open(path), 'Ann');
    expect(answerOf(await visitor.submit(page, 'consent', { decision: 'deny' }))).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 's t&=',
      iss: ISSUER,
    });
  });

  it('403: sent by another browser, or after the session has ended', async () => {
    const { visitor } = await allow();
    const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: pkce().challenge });
    const page = await visitor.open(path);
    const { visitor: second } = await allow();
    expect((await second.submit(page, 'consent', { decision: 'allow' })).status).toBe(403);
    await send(keks.url, 'DELETE', '/sessions', await keks.login('Ann'));
    expect((await visitor.submit(page, 'consent', { decision: 'allow' })).text).toContain(
      'You are signed out',
    );
  });

  it('gives no more than the person has, and nothing of the authority', async () => {
    expect((await tokens({ scope: 'cookies:eat cookies:bake' })).scope).toBe('cookies:eat');
    const visitor = new Visitor(keks.url);
    const path = authorizePath({
      client_id: open,
      redirect_uri: DONE,
      code_challenge: pkce().challenge,
      scope: 'cookies:bake',
    });
    expect(answerOf(await visitor.signIn(await visitor.open(path), 'Ann'))['error']).toBe('access_denied');
  });

  it('is asked each time, unless it was to be remembered: per client and scope; prompt=consent asks again', async () => {
    const app = await addPublic({ scope: ['cookies:eat', 'cookies:bake'] });
    await keks.addUser('Cara', 'cookies:eat cookies:bake');
    const visitor = new Visitor(keks.url);
    const ask = (parameters: Record<string, string> = {}): string =>
      authorizePath({
        client_id: app,
        redirect_uri: DONE,
        code_challenge: pkce().challenge,
        scope: 'cookies:eat',
        ...parameters,
      });
    const first = await visitor.signIn(await visitor.open(ask()), 'Cara');
    await visitor.submit(first, 'consent', { decision: 'allow' });
    const second = await visitor.open(ask());
    expect(second.text).toContain('>Allow<');
    expect(answerOf(await visitor.open(ask({ prompt: 'none' })))['error']).toBe('consent_required');
    await visitor.submit(second, 'consent', { decision: 'allow', remember: 'yes' });
    expect(answerOf(await visitor.open(ask()))['code']).toMatch(/^kac_/);
    expect(answerOf(await visitor.open(ask({ prompt: 'none' })))['code']).toMatch(/^kac_/);
    expect((await visitor.open(ask({ prompt: 'consent' }))).text).toContain('>Allow<');
    expect((await visitor.open(ask({ scope: 'cookies:eat cookies:bake' }))).text).toContain('>Allow<');
    expect((await visitor.open(ask({ client_id: other }))).text).toContain('>Allow<');
    // ended, it is asked again
    const cara = await keks.login('Cara');
    const listed = (await get(keks.url, '/consents', cara)).body as { items: { client_id: string }[] };
    expect(listed.items).toEqual([
      expect.objectContaining({ client_id: app, scope: 'cookies:eat', remembered: true }),
    ]);
    expect((await send(keks.url, 'DELETE', `/consents/${app}`, cara)).status).toBe(204);
    expectError(await send(keks.url, 'DELETE', `/consents/${app}`, cara), 404, 'not_found');
    expect((await visitor.open(ask())).text).toContain('>Allow<');
  });
});

describe('a program without a secret on a device (RFC 8252 §8.6)', () => {
  it.each(['http://127.0.0.1/done', 'com.example.app:/done'])(
    '%s: is asked for each time',
    async (address) => {
      const app = await addPublic({ redirectUris: [address] });
      const ask = (): string =>
        authorizePath({ client_id: app, redirect_uri: address, code_challenge: pkce().challenge });
      const visitor = new Visitor(keks.url);
      const page = await visitor.signIn(await visitor.open(ask()), 'Ann');
      expect(page.text).not.toContain('name="remember"');
      // whatever is sent
      await visitor.submit(page, 'consent', { decision: 'allow', remember: 'yes' });
      expect((await visitor.open(ask())).text).toContain('>Allow<');
    },
  );
});

describe('POST /oauth/token, grant_type=authorization_code (RFC 6749 §4.1.3)', () => {
  it('200: a token that acts for the person, of this client, for what was allowed', async () => {
    const { code, answer, verifier } = await allow({ scope: 'cookies:eat' });
    expect(answer).toEqual({ code, state: 's t&=', iss: ISSUER });
    const answered = await exchange(code, verifier);
    expect(answered.headers.get('cache-control')).toBe('no-store');
    const { access_token: token, ...rest } = issued(answered);
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 3_600, scope: 'cookies:eat' });
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    for (const path of ['/sessions', '/keys', '/consents', '/admin/users'])
      expect((await get(keks.url, path, token)).status).toBe(403);
  });

  it('200: of a client with a secret, by Basic and in the form; 401 without it', async () => {
    for (const [form, headers] of [
      [{}, basic(secret)],
      [secretPost(secret), {}],
    ] as const) {
      const { code, verifier } = await allow({ client_id: secret.clientId });
      expectRefusal(await exchange(code, verifier, { client_id: secret.clientId }), 401, 'invalid_client');
      issued(await exchange(code, verifier, form, headers));
    }
    const { code, verifier } = await allow();
    expectRefusal(
      await submit(keks.url, '/oauth/token', {
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: DONE,
      }),
      401,
      'invalid_client',
    );
  });

  it('400: another verifier, another address, another client, none of them: and the code is unharmed', async () => {
    const { code, verifier } = await allow();
    expectRefusal(await exchange(code, pkce().verifier), 400, 'invalid_grant');
    expectRefusal(await exchange(code, 'short'), 400, 'invalid_request');
    expectRefusal(await exchange(code, ''), 400, 'invalid_request');
    expectRefusal(await exchange(code, verifier, { redirect_uri: `${DONE}/` }), 400, 'invalid_grant');
    expectRefusal(await exchange(code, verifier, { redirect_uri: '' }), 400, 'invalid_request');
    expectRefusal(await exchange(code, verifier, { client_id: other }), 400, 'invalid_grant');
    expectRefusal(await exchange(code, verifier, {}, basic(secret)), 400, 'invalid_grant');
    expectRefusal(await exchange(code, verifier, { resource: 'https://far.example' }), 400, 'invalid_target');
    expectRefusal(await exchange(`${code}x`, verifier), 400, 'invalid_grant');
    expectRefusal(await exchange('', verifier), 400, 'invalid_request');
    issued(await exchange(code, verifier));
  });

  it('400: after a minute (§4.1.2)', async () => {
    const { code, verifier } = await allow();
    keks.clock.advance(60_000);
    expectRefusal(await exchange(code, verifier), 400, 'invalid_grant');
  });

  it('400: a second time, and what the first got ends, the refresh token too (§4.1.2, RFC 9700 §2.1.1)', async () => {
    const { code, verifier } = await allow({ scope: 'cookies:eat offline_access' });
    const first = issued(await exchange(code, verifier));
    const untouched = await tokens();
    expectRefusal(await exchange(code, verifier), 400, 'invalid_grant');
    expect(await isAlive(keks, first.access_token)).toBe(false);
    expectRefusal(await refresh(keks, first.refresh_token ?? '', { client_id: open }), 400, 'invalid_grant');
    expect(await isAlive(keks, untouched.access_token)).toBe(true);
    expectRefusal(await exchange(code, verifier), 400, 'invalid_grant');
  });

  it('ten at once: one gets a token at most, and it is dead', async () => {
    const { code, verifier } = await allow();
    const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(code, verifier)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 200) expectRefusal(answer, 400, 'invalid_grant');
    expect(await isAlive(keks, issued(won[0]!).access_token)).toBe(false);
  });

  it('the code is dead when the person is disabled, has a new password or the consent is ended meanwhile', async () => {
    const admin = await keks.login('Ann');
    await keks.addUser('Dan', 'cookies:eat');
    const dan = await keks.login('Dan');
    const visitor = new Visitor(keks.url);
    const { verifier, challenge } = pkce();
    const path = authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: challenge });
    const page = await visitor.signIn(await visitor.open(path), 'Dan');
    const { code = '' } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
    expect((await send(keks.url, 'DELETE', `/consents/${open}`, dan)).status).toBe(204);
    expectRefusal(await exchange(code, verifier), 400, 'invalid_grant');
    const next = await visitor.submit(await visitor.open(path), 'consent', { decision: 'allow' });
    const { items } = (await get(keks.url, '/admin/users?limit=100', admin)).body as {
      items: { id: string; name: string }[];
    };
    const id = items.find(({ name }) => name === 'Dan')?.id ?? '';
    await send(keks.url, 'PATCH', `/admin/users/${id}`, admin, { disabled: true });
    expectRefusal(await exchange(answerOf(next)['code'] ?? '', verifier), 400, 'invalid_grant');
  });

  it('resource: the token is for that API, and no other (RFC 8707 §2.2)', async () => {
    const api = await addClient(keks, { audience: ['https://oven.example'] });
    const app = await addPublic({ resources: ['https://oven.example'] });
    const { access_token: token } = await tokens({ client_id: app, resource: 'https://oven.example' });
    expect((await get(keks.url, '/cookies', token)).status).toBe(401);
    const seen = await submit(keks.url, '/oauth/introspect', { token }, basic(api));
    expect(seen.body).toMatchObject({
      active: true,
      client_id: app,
      username: 'Ann',
      aud: 'https://oven.example',
      scope: 'cookies:eat',
    });
  });

  it('resource with scopes beside it: no others, asked for or not', async () => {
    const api = await addClient(keks, { audience: ['https://mill.example'] });
    const app = await addPublic({ resources: ['https://mill.example cookies:bake'] });
    const asked = { client_id: app, resource: 'https://mill.example' };
    const tooMuch = await at({ ...asked, scope: 'cookies:eat' });
    expect(answerOf(tooMuch)).toMatchObject({ error: 'invalid_scope' });
    await keks.addUser('Mia', 'cookies:eat cookies:bake');
    const visitor = new Visitor(keks.url);
    const { challenge: code_challenge } = pkce();
    const path = authorizePath({ ...asked, redirect_uri: DONE, code_challenge });
    await visitor.signIn(await visitor.open(path), 'Mia');
    const { access_token: token } = await tokens(asked, visitor);
    const seen = await submit(keks.url, '/oauth/introspect', { token }, basic(api));
    expect(seen.body).toMatchObject({ active: true, username: 'Mia', scope: 'cookies:bake' });
  });
});

describe('what a client got', () => {
  it('is refreshed by this client only, and rotates (RFC 6749 §6, §10.4)', async () => {
    const got = await tokens({ scope: 'cookies:eat offline_access' });
    const token = got.refresh_token ?? '';
    expectRefusal(await refresh(keks, token), 400, 'invalid_grant');
    expectRefusal(await refresh(keks, token, { client_id: other }), 400, 'invalid_grant');
    expectRefusal(await refresh(keks, token, {}, basic(secret)), 400, 'invalid_grant');
    const next = issued(await refresh(keks, token, { client_id: open }));
    expect(next.refresh_token).not.toBe(token);
    expect((await get(keks.url, '/cookies', next.access_token)).status).toBe(200);
    issued(await refresh(keks, next.refresh_token ?? '', { client_id: open }));
    // stolen: everybody starts again
    expectRefusal(await refresh(keks, token, { client_id: open }), 400, 'invalid_grant');
    expect(await isAlive(keks, next.access_token)).toBe(false);
  });

  it('is revoked by it (RFC 7009), and by nobody else', async () => {
    const { access_token: token } = await tokens();
    expectRefusal(
      await submit(keks.url, '/oauth/revoke', { token, client_id: other }),
      400,
      'unauthorized_client',
    );
    expect((await submit(keks.url, '/oauth/revoke', { token, client_id: open })).status).toBe(200);
    expect(await isAlive(keks, token)).toBe(false);
  });

  it.each([
    [
      'the client is disabled',
      (id: string) => keks.app.get(ClientsService).change(id, { disabled: true }, BY_OPERATOR),
    ],
    [
      'its scope shrinks',
      (id: string) => keks.app.get(ClientsService).change(id, { scope: [] }, BY_OPERATOR),
    ],
    [
      'an address is taken away',
      (id: string) =>
        keks.app.get(ClientsService).change(id, { redirectUris: ['https://app.example/new'] }, BY_OPERATOR),
    ],
    ['all of its tokens are ended', (id: string) => keks.app.get(ClientsService).revokeAll(id, BY_OPERATOR)],
  ])('dies at once when %s', async (_, end) => {
    const app = await addPublic();
    const { access_token: token } = await tokens({ client_id: app });
    await end(app);
    expect(await isAlive(keks, token)).toBe(false);
  });

  it('dies with more consents than end in one statement', async () => {
    const app = await addPublic();
    const { access_token: token } = await tokens({ client_id: app });
    await keks.database.client.query(
      `INSERT INTO grants (kind, user_id, client_id, scope, expires_at)
       SELECT 'consent', (SELECT id FROM users WHERE name = 'Bob'), $1, '', '2100-01-01Z' FROM generate_series(1, 1200)`,
      [app],
    );
    expect(await keks.app.get(ClientsService).revokeAll(app, BY_OPERATOR)).toBe(1_201);
    expect(await isAlive(keks, token)).toBe(false);
  });

  it('dies at once when all of a person’s grants end by one row, and never looks like the client’s own', async () => {
    await keks.addUser('Eve', 'cookies:eat');
    const visitor = new Visitor(keks.url);
    const { verifier, challenge } = pkce();
    const page = await visitor.signIn(
      await visitor.open(authorizePath({ client_id: open, redirect_uri: DONE, code_challenge: challenge })),
      'Eve',
    );
    const { code = '' } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
    const { access_token: token } = issued(await exchange(code, verifier));
    const ended = (kinds: string): Promise<unknown> =>
      keks.database.client.query(
        `WITH owner AS (UPDATE users SET epoch = epoch + 1 WHERE name = 'Eve' RETURNING id, epoch - 1 AS epoch)
         INSERT INTO owner_endings (user_id, epoch, kinds, ended_at, reason) SELECT id, epoch, $1, now(), 'test' FROM owner`,
        [kinds],
      );
    await ended('{api_key}');
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    await ended('{consent}');
    expect((await get(keks.url, '/cookies', token)).status).toBe(401);
  });

  it('is a consent in the lists of grants, which an administrator ends, and in the life story of its tokens', async () => {
    const admin = await keks.login('Ann');
    const app = await addPublic();
    const { code, verifier } = await allow({ client_id: app });
    const { access_token: token } = issued(await exchange(code, verifier, { client_id: app }));
    const { items } = (await get(keks.url, `/admin/grants?client_id=${app}`, admin)).body as {
      items: { id: string }[];
    };
    expect(items).toEqual([
      expect.objectContaining({ kind: 'consent', username: 'Ann', client_id: app, scope: 'cookies:eat' }),
    ]);
    expect((await send(keks.url, 'DELETE', `/admin/grants/${items[0]?.id}`, admin)).status).toBe(204);
    expect(await isAlive(keks, token)).toBe(false);
    const { body } = await send(keks.url, 'POST', '/admin/tokens/story', admin, { token });
    const story = body as { grant: object; events: { what: string; by: string | null }[] };
    expect(story.grant).toMatchObject({ kind: 'consent', client_id: app, username: 'Ann' });
    expect(story.events.map(({ what, by }) => [what, by])).toEqual([
      ['consent.given', 'user:Ann'],
      ['token.issued', `client:${app}`],
      ['grant.revoked', 'user:Ann'],
    ]);
  });
});
