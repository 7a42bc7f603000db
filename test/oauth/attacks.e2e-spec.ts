import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService, type NewClient } from '../../src/auth/clients/clients.service.js';
import { newOwner, proof, type Owner } from '../support/dpop.js';
import {
  addClient,
  basic,
  BY_OPERATOR,
  clientToken,
  expectRefusal,
  isAlive,
  issued,
  refresh,
  submit,
  type Issued,
} from '../support/oauth.js';
import {
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';
import {
  answerBehind,
  answerOf,
  authorizePath,
  hiddenOf,
  pkce,
  Visitor,
  type Shown,
} from '../support/visitor.js';

/** The attacks of RFC 9700 §4, one by one: what an attacker tries, and what comes of it. */

const DONE = 'https://app.example/done';
const EVIL = 'https://evil.example/fetch';
const ISSUER = 'http://127.0.0.1:3000';
const OVEN = 'https://oven.example/api';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let keks: TestApp;
/** The honest client, which has no secret, and another one that is the attacker's. */
let honest: string;
let attackers: string;

const addPublic = async (client: Partial<NewClient> = {}): Promise<string> => {
  const given = { name: 'app', scope: ['cookies:eat'], audience: [], resources: [OVEN] } as const;
  const one = { ...given, tokenFormat: 'opaque', redirectUris: [DONE], ...client } as const;
  return (await keks.app.get(ClientsService).addPublic(one, BY_OPERATOR)).clientId;
};

/** At /oauth/authorize, in a browser of its own unless said otherwise. */
const ask = (
  parameters: Record<string, string | undefined> = {},
  visitor = new Visitor(keks.url),
): Promise<Shown> =>
  visitor.open(
    authorizePath({
      client_id: honest,
      redirect_uri: DONE,
      code_challenge: pkce().challenge,
      ...parameters,
    }),
  );

/** Ann's yes, as it comes back to the client. */
async function allowed(
  parameters: Record<string, string | undefined> = {},
  visitor = new Visitor(keks.url),
): Promise<{ code: string; verifier: string; back: Shown; visitor: Visitor }> {
  const { verifier, challenge } = pkce();
  let page = await ask({ code_challenge: challenge, ...parameters }, visitor);
  if (page.text.includes('name="password"')) page = await visitor.signIn(page, 'Ann');
  const back = await visitor.submit(page, 'consent', { decision: 'allow' });
  return { code: answerOf(back)['code'] ?? '', verifier, back, visitor };
}

const redeem = (code: string, form: Record<string, string>, headers = {}): Promise<Answer> =>
  submit(
    keks.url,
    '/oauth/token',
    { grant_type: 'authorization_code', code, redirect_uri: DONE, client_id: honest, ...form },
    headers,
  );

const got = async (parameters: Record<string, string> = {}): Promise<Issued> => {
  const { code, verifier } = await allowed(parameters);
  return issued(await redeem(code, { code_verifier: verifier }));
};

const eat = async (token: string): Promise<number> => (await get(keks.url, '/cookies', token)).status;

beforeAll(async () => {
  keks = await startTestApp({ REGISTRATION: 'open', REGISTRATION_SCOPE: 'cookies:eat' });
  await keks.addUser('Ann', 'cookies:eat');
  await keks.addUser('Eve', 'cookies:eat');
  await addClient(keks, { audience: [OVEN] });
  honest = await addPublic();
  attackers = await addPublic({ name: 'attacker', redirectUris: [EVIL] });
});

afterAll(() => keks.close());

describe('§4.1 a redirect address that is nearly the registered one', () => {
  it.each([
    EVIL,
    `${DONE}/`,
    `${DONE}/../evil`,
    `${DONE}?next=${EVIL}`,
    `${DONE}#`,
    'https://app.example/DONE',
    'https://app.example:443/done',
    'https://app.example./done',
    'https://app.example.evil.example/done',
    'https://sub.app.example/done',
    'https://app.example@evil.example/done',
    'https://app.example\\@evil.example/done',
    'https://evil.example/https://app.example/done',
    'http://app.example/done',
    'https://app.example/%64one',
    ' https://app.example/done',
    'javascript:alert(1)//https://app.example/done',
  ])('%j: a page, and nobody is sent anywhere', async (redirectUri) => {
    const page = await ask({ redirect_uri: redirectUri });
    expect([page.status, page.location]).toEqual([400, undefined]);
    expect(page.text).not.toContain('evil.example');
  });

  it('another client’s address is none of this one’s', async () => {
    expect((await ask({ redirect_uri: EVIL })).location).toBeUndefined();
    expect((await ask({ client_id: attackers })).location).toBeUndefined();
  });
});

describe('§4.2 the Referer header', () => {
  it('is sent by none of the pages, nor on the way back with a code, and no page asks anybody else for anything', async () => {
    const visitor = new Visitor(keks.url);
    const login = await ask({}, visitor);
    const consent = await visitor.signIn(login, 'Ann');
    const back = await visitor.submit(consent, 'consent', { decision: 'allow' });
    expect(answerOf(back)['code']).toMatch(/^kac_/);
    for (const shown of [login, consent, back, await ask({ redirect_uri: EVIL })]) {
      expect(shown.headers.get('referrer-policy')).toBe('no-referrer');
      expect(shown.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    }
  });

  it('would carry a code that is used already: it works once', async () => {
    const { code, verifier } = await allowed();
    issued(await redeem(code, { code_verifier: verifier }));
    expectRefusal(await redeem(code, { code_verifier: verifier }), 400, 'invalid_grant');
  });
});

describe('§4.3 the history of the browser', () => {
  it('has no token in it, ever; with form_post no code either', async () => {
    const { back, visitor } = await allowed();
    expect(Object.keys(answerOf(back)).sort()).toEqual(['code', 'iss', 'state']);
    const page = await allowed({ response_mode: 'form_post' }, visitor);
    expect([page.back.status, page.back.location]).toEqual([200, undefined]);
    expect(page.back.text).toMatch(/name="code"\s+value="kac_/);
  });

  it('opens nothing where a token stands in an address (§4.3.2)', async () => {
    const { access_token: token } = await got();
    const { status } = await get(keks.url, `/cookies?access_token=${token}`);
    expect(status).toBe(401);
  });
});

describe('§4.4 mix-up', () => {
  it.each([
    ['a code', {}, 'allow'],
    ['a no', {}, 'deny'],
    ['an error', { scope: 'cookies:burn' }, undefined],
  ])('%s says from whom it comes, in both response modes (RFC 9207)', async (_, parameters, decision) => {
    for (const mode of ['query', 'form_post']) {
      const visitor = new Visitor(keks.url);
      let page = await ask({ ...parameters, response_mode: mode }, visitor);
      if (decision) page = await visitor.submit(await visitor.signIn(page, 'Ann'), 'consent', { decision });
      const iss =
        mode === 'query' ? answerOf(page)['iss'] : /name="iss"\s+value="([^"]*)"/.exec(page.text)?.[1];
      expect(iss).toBe(ISSUER);
    }
  });

  it('the metadata promise that, and name the same issuer (§4.4.2.1)', async () => {
    const { body } = await get(keks.url, '/.well-known/oauth-authorization-server');
    expect(body).toMatchObject({ issuer: ISSUER, authorization_response_iss_parameter_supported: true });
  });
});

describe('§4.5 injection of a code', () => {
  it('a stolen code in the attacker’s own session with the same client: the verifier is another one (§4.5.3.1)', async () => {
    const stolen = await allowed();
    const own = await allowed();
    expectRefusal(await redeem(stolen.code, { code_verifier: own.verifier }), 400, 'invalid_grant');
    // and its owner has lost nothing by that
    issued(await redeem(stolen.code, { code_verifier: stolen.verifier }));
  });

  it('a stolen code at another client, with a secret or without, even with its verifier', async () => {
    const { code, verifier } = await allowed();
    const secret = await addClient(keks, { redirectUris: [EVIL] });
    const form = { code_verifier: verifier };
    expectRefusal(await redeem(code, { ...form, client_id: attackers }), 400, 'invalid_grant');
    expectRefusal(
      await redeem(code, { ...form, client_id: secret.clientId }, basic(secret)),
      400,
      'invalid_grant',
    );
    issued(await redeem(code, form));
  });

  it('a code that is used twice: what the first use got is dead (§4.5, RFC 6749 §4.1.2)', async () => {
    const { code, verifier } = await allowed();
    const { access_token: token } = issued(await redeem(code, { code_verifier: verifier }));
    expectRefusal(await redeem(code, { code_verifier: verifier }), 400, 'invalid_grant');
    expect(await eat(token)).toBe(401);
  });
});

describe('§4.6 injection of an access token', () => {
  it.each(['token', 'code token', 'id_token', 'code id_token'])(
    'no client gets a token through a browser: response_type=%s',
    async (type) => {
      const answer = answerOf(await ask({ response_type: type }));
      expect(answer['error']).toBe('unsupported_response_type');
      expect(answer).not.toHaveProperty('access_token');
    },
  );
});

describe('§4.7 CSRF', () => {
  it('the state comes back letter by letter, and a code is worth nothing without the verifier of its request', async () => {
    const state = 'a b+c%20&=é"<';
    const { back, code } = await allowed({ state });
    expect(answerOf(back)['state']).toBe(state);
    expectRefusal(await redeem(code, {}), 400, 'invalid_request');
  });

  it('no form of ours is taken from another browser, nor from another site', async () => {
    const [victim, attacker] = [new Visitor(keks.url), new Visitor(keks.url)];
    await victim.signIn(await ask({}, victim), 'Ann');
    // a consent for which the attacker was asked, sent by the victim's browser
    const theirs = await attacker.signIn(
      await ask({ client_id: attackers, redirect_uri: EVIL }, attacker),
      'Eve',
    );
    const crossed = await victim.submit(theirs, 'consent', { decision: 'allow' });
    expect([crossed.status, crossed.location]).toEqual([403, undefined]);
    const own = await ask({}, victim);
    for (const site of ['cross-site', 'same-site', 'none']) {
      const sent = await victim.open('/oauth/authorize/consent', {
        method: 'POST',
        headers: { ...FORM, 'sec-fetch-site': site },
        body: new URLSearchParams({ ...hiddenOf(own), decision: 'allow' }).toString(),
      });
      expect([site, sent.status, sent.location]).toEqual([site, 403, undefined]);
    }
  });

  it('a victim cannot be signed in as somebody else by another site (login CSRF)', async () => {
    const attacker = new Visitor(keks.url);
    const page = await ask({}, attacker);
    const victim = new Visitor(keks.url);
    const sent = await victim.submit(page, 'login', { user: 'Eve', password: PASSWORD });
    expect([sent.status, victim.cookies.has('keks-session')]).toEqual([403, false]);
  });
});

describe('§4.8 PKCE downgrade', () => {
  it.each([
    ['no challenge', { code_challenge: undefined }],
    ['no challenge, though a method', { code_challenge: '' }],
    ['no method, which means plain', { code_challenge_method: undefined }],
    ['plain', { code_challenge_method: 'plain' }],
  ])('%s: there is no code at all', async (_, parameters) => {
    const answer = answerOf(await ask(parameters));
    expect([answer['error'], answer['code']]).toEqual(['invalid_request', undefined]);
  });

  it('a client with a secret is not let off either, nor one that pushes its request', async () => {
    const secret = await addClient(keks, { redirectUris: [DONE] });
    const without = {
      client_id: secret.clientId,
      code_challenge: undefined,
      code_challenge_method: undefined,
    };
    expect(answerOf(await ask(without))['error']).toBe('invalid_request');
    const form = { response_type: 'code', redirect_uri: DONE };
    expectRefusal(await submit(keks.url, '/oauth/par', form, basic(secret)), 400, 'invalid_request');
  });

  it('no code is redeemed without a verifier, with an empty one, or with the challenge itself', async () => {
    const { verifier, challenge } = pkce();
    const { code } = await allowed({ code_challenge: challenge });
    expectRefusal(await redeem(code, {}), 400, 'invalid_request');
    expectRefusal(await redeem(code, { code_verifier: '' }), 400, 'invalid_request');
    expectRefusal(await redeem(code, { code_verifier: challenge }), 400, 'invalid_grant');
    issued(await redeem(code, { code_verifier: verifier }));
  });
});

describe('§4.9 a token that leaks at an API', () => {
  it('is good at no other API: it has one audience (§4.10.2)', async () => {
    const { access_token: token } = await got({ resource: OVEN });
    expect(await eat(token)).toBe(401);
    expect((await get(keks.url, '/sessions', token)).status).toBe(401);
  });

  it('cannot be turned into another one: an API that has it can neither refresh nor log in with it', async () => {
    const { access_token: token } = await got();
    expectRefusal(await refresh(keks, token, { client_id: honest }), 400, 'invalid_grant');
    for (const path of ['/sessions', '/keys', '/consents', '/admin/users'])
      expect((await get(keks.url, path, token)).status).toBe(403);
  });
});

describe('§4.10 a stolen token that is bound to a key (RFC 9449)', () => {
  let owner: Owner;
  let thief: Owner;
  let token: string;

  const prove = (by: Owner, method: string, url: string, of: object = {}): Promise<string> =>
    proof(by, { method, url, now: keks.clock.now(), ...of });
  const use = (path: string, dpop: string, method = 'GET'): Promise<Answer> =>
    request(keks.url, path, { method, headers: { authorization: `DPoP ${token}`, dpop } });

  beforeAll(async () => {
    [owner, thief] = await Promise.all([newOwner(), newOwner()]);
    const body = { user: 'Ann', password: PASSWORD };
    const answer = await post(keks.url, '/issue', body, {
      dpop: await prove(owner, 'POST', `${ISSUER}/issue`),
    });
    ({ token } = answer.body as { token: string });
    expect((await use('/cookies', await prove(owner, 'GET', `${ISSUER}/cookies`, { token }))).status).toBe(
      200,
    );
  });

  it('opens nothing as a bearer token, nor with the thief’s own key', async () => {
    expect(await eat(token)).toBe(401);
    expect((await use('/cookies', await prove(thief, 'GET', `${ISSUER}/cookies`, { token }))).status).toBe(
      401,
    );
  });

  it('a proof that was overheard: not once more, not at another route, not with another method', async () => {
    const heard = await prove(owner, 'GET', `${ISSUER}/cookies`, { token });
    expect((await use('/sessions', heard)).status).toBe(401);
    expect((await use('/sessions', heard, 'DELETE')).status).toBe(401);
    expect((await use('/cookies', heard)).status).toBe(200);
    expect((await use('/cookies', heard)).status).toBe(401);
  });

  it('a proof for another host, port or scheme, as another API would hear it, is none for this one', async () => {
    for (const base of [
      'https://oven.example',
      'http://127.0.0.1:3001',
      'https://127.0.0.1:3000',
      'http://localhost:3000',
      keks.url,
    ])
      expect((await use('/cookies', await prove(owner, 'GET', `${base}/cookies`, { token }))).status).toBe(
        401,
      );
  });

  it('a proof for an API gets no token, and one for the token endpoint opens no API', async () => {
    const form = { grant_type: 'authorization_code', code: 'kac_x', client_id: honest };
    const elsewhere = { dpop: await prove(owner, 'POST', `${ISSUER}/cookies`) };
    expectRefusal(await submit(keks.url, '/oauth/token', form, elsewhere), 400, 'invalid_dpop_proof');
    expect((await use('/cookies', await prove(owner, 'POST', `${ISSUER}/oauth/token`))).status).toBe(401);
  });

  it('a proof that was made with another token is none for this one (§4.3 of RFC 9449: ath)', async () => {
    const other = await prove(owner, 'GET', `${ISSUER}/cookies`, { token: 'another' });
    expect((await use('/cookies', other)).status).toBe(401);
  });
});

describe('§4.11 open redirection', () => {
  async function registered(): Promise<string> {
    const answer = await post(keks.url, '/oauth/register', {
      redirect_uris: [EVIL],
      client_name: 'Your <b>bank</b>',
      token_endpoint_auth_method: 'none',
    });
    expect(answer.status).toBe(201);
    return (answer.body as { client_id: string }).client_id;
  }
  /** Nobody is sent: a page says who wants one where, and has a link. */
  const expectPage = (page: Shown): void => {
    expect([page.status, page.location]).toEqual([400, undefined]);
    expect(page.text).toContain('Nobody here has checked who this is.');
    expect(page.text).toContain('Your &lt;b&gt;bank&lt;/b&gt;');
    expect(page.text).toContain('>Go back to evil.example<');
    expect(page.headers.get('content-security-policy')).not.toContain('script-src');
  };

  it.each([
    ['a scope that nobody has', { scope: 'cookies:burn' }],
    ['another response_type', { response_type: 'token' }],
    ['no challenge', { code_challenge: undefined }],
    ['prompt=none', { prompt: 'none' }],
    ['a form that sends itself', { scope: 'cookies:burn', response_mode: 'form_post' }],
  ])(
    'by an address of ours to a client that somebody has registered for that: %s (§4.11.2)',
    async (_, parameters) => {
      const page = await ask({ client_id: await registered(), redirect_uri: EVIL, ...parameters });
      expectPage(page);
    },
  );

  it('the link has the answer in it, and so has the button: an honest client learns what was wrong', async () => {
    const client = await registered();
    const wrong = { client_id: client, redirect_uri: EVIL, scope: 'cookies:burn' };
    const page = await ask(wrong);
    expect(page.text).toContain(`<a href="${EVIL}?error=invalid_scope`);
    expect(answerBehind(page)).toMatchObject({ error: 'invalid_scope', state: 's t&=', iss: ISSUER });
    const form = await ask({ ...wrong, response_mode: 'form_post' });
    expect(form.text).toMatch(/<form method="post" action="https:\/\/evil\.example\/fetch">/);
    expect(form.text).toMatch(/name="error"\s+value="invalid_scope"/);
    expect(form.text).not.toContain('<script');
  });

  it('nor with prompt=none for somebody who is signed in', async () => {
    const { visitor } = await allowed();
    const client = { client_id: await registered(), redirect_uri: EVIL };
    expectPage(await ask({ ...client, prompt: 'none' }, visitor));
  });

  it('what a person decides goes there at once: they were told where to', async () => {
    const visitor = new Visitor(keks.url);
    const client = { client_id: await registered(), redirect_uri: EVIL };
    const page = await visitor.signIn(await ask(client, visitor), 'Ann');
    expect(page.text).toContain('evil.example');
    const denied = await visitor.submit(page, 'consent', { decision: 'deny' });
    expect([denied.status, answerOf(denied)['error']]).toEqual([303, 'access_denied']);
    const again = await visitor.submit(await ask(client, visitor), 'consent', { decision: 'allow' });
    expect(answerOf(again)['code']).toMatch(/^kac_/);
  });

  it('by the pages themselves: what they link and send to is ours, whatever stands in the address', async () => {
    for (const path of [
      `/device?user_code=${EVIL}`,
      `/device?next=${EVIL}&redirect_uri=${EVIL}`,
      `/oauth/authorize?redirect_uri=${EVIL}`,
      `/password-reset?next=${EVIL}`,
    ]) {
      const page = await new Visitor(keks.url).open(path);
      expect([path, page.location, page.text.includes('evil.example')]).toEqual([path, undefined, false]);
    }
  });
});

describe('§4.12 a redirect that sends the password on (307)', () => {
  it('there is none: after each form it is 303, which makes a GET without a body of it', async () => {
    const visitor = new Visitor(keks.url);
    const login = await ask({}, visitor);
    const signedIn = await visitor.submit(login, 'login', { user: 'Ann', password: PASSWORD });
    expect([signedIn.status, signedIn.location]).toEqual([303, expect.stringMatching(/^\.\.\/authorize\?/)]);
    const consent = await visitor.open((signedIn.location ?? '').replace('..', '/oauth'));
    expect((await visitor.submit(consent, 'consent', { decision: 'deny' })).status).toBe(303);
    expect((await allowed({}, visitor)).back.status).toBe(303);
  });
});

describe('§4.13 headers that only a proxy may send', () => {
  it('change neither who answers nor where to: they are nobody’s proxy', async () => {
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    const { headers } = await request(keks.url, '/cookies', { headers: forged });
    expect(headers.get('www-authenticate')).not.toContain('evil.example');
    const metadata = await request(keks.url, '/.well-known/oauth-authorization-server', { headers: forged });
    expect(JSON.stringify(metadata.body)).not.toContain('evil.example');
    const page = await new Visitor(keks.url).open(authorizePath({ client_id: honest }), { headers: forged });
    expect(page.text).not.toContain('evil.example');
  });
});

describe('§4.14 a stolen refresh token', () => {
  it('is good at no other client, with a secret or without one (§4.14.2)', async () => {
    const { refresh_token: token = '' } = await got({ scope: 'cookies:eat offline_access' });
    const secret = await addClient(keks, { redirectUris: [EVIL] });
    expectRefusal(await refresh(keks, token, { client_id: attackers }), 400, 'invalid_grant');
    expectRefusal(await refresh(keks, token, {}, basic(secret)), 400, 'invalid_grant');
    expectRefusal(await refresh(keks, token), 400, 'invalid_grant');
    issued(await refresh(keks, token, { client_id: honest }));
  });

  it('is used by the thief first: the honest client’s next try ends both (§4.14.2)', async () => {
    const { refresh_token: token = '' } = await got({ scope: 'cookies:eat offline_access' });
    const thiefs = issued(await refresh(keks, token, { client_id: honest }));
    const next = issued(await refresh(keks, thiefs.refresh_token ?? '', { client_id: honest }));
    expectRefusal(await refresh(keks, token, { client_id: honest }), 400, 'invalid_grant');
    expect(await isAlive(keks, next.access_token)).toBe(false);
    expectRefusal(await refresh(keks, next.refresh_token ?? '', { client_id: honest }), 400, 'invalid_grant');
  });

  it('asks for more than was allowed', async () => {
    const { refresh_token: token = '' } = await got({ scope: 'cookies:eat offline_access' });
    const more = { client_id: honest, scope: 'cookies:eat keks:admin' };
    expectRefusal(await refresh(keks, token, more), 400, 'invalid_scope');
  });
});

describe('§4.15 a client that looks like a person', () => {
  it('has a subject that no person can have, and names itself nothing', async () => {
    await keks.addUser('Root', 'keks:admin');
    const { body } = await get(keks.url, '/admin/users?name=Ann', await keks.login('Root'));
    const [{ id = '' } = {}] = (body as { items: { id: string }[] }).items;
    const answer = await post(keks.url, '/oauth/register', {
      ...{ client_id: id, sub: id, redirect_uris: [EVIL], token_endpoint_auth_method: 'none' },
    });
    expect((answer.body as { client_id: string }).client_id).toMatch(/^c-[0-9a-f]{24}$/);
    const system = await addClient(keks);
    const { access_token: token } = await clientToken(keks, system);
    const seen = await submit(keks.url, '/oauth/introspect', { token }, basic(system));
    expect(seen.body).toMatchObject({ sub: system.clientId, client_id: system.clientId });
    expect(seen.body).not.toHaveProperty('username');
    expect((await get(keks.url, '/sessions', token)).status).toBe(403);
  });
});

describe('§4.16 clickjacking', () => {
  it('none of the pages on which people decide stands in anybody’s frame', async () => {
    const visitor = new Visitor(keks.url);
    const login = await ask({}, visitor);
    const consent = await visitor.signIn(login, 'Ann');
    const pages = [login, consent, await ask({ redirect_uri: EVIL }), await visitor.open('/device')];
    for (const path of ['/password-reset', '/console', '/']) pages.push(await visitor.open(path));
    for (const page of pages)
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });
});
