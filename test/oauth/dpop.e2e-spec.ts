import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService, type NewClient } from '../../src/auth/clients/clients.service.js';
import { TokenExplainer } from '../../src/auth/tokens/token-explainer.js';
import { jsonOf, textOf } from '../../src/cli/verbs/token-explanation.js';
import { askForCodes, codesOf, decide, DEVICE_GRANT } from '../support/device.js';
import { newOwner, proof, type Owner, type ProofOf } from '../support/dpop.js';
import { claimsOf } from '../support/forge.js';
import {
  addClient,
  basic,
  BY_OPERATOR,
  expectRefusal,
  isAlive,
  secretPost,
  submit,
  type Issued,
  type TestClient,
} from '../support/oauth.js';
import { PASSWORD, post, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { answerOf, authorizePath, pkce, Visitor } from '../support/visitor.js';

const DONE = 'https://app.example/done';
const ISSUER = 'http://127.0.0.1:3000';
const ALGS = ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'];

let keks: TestApp;
/** Another instance on the same database. */
let twin: TestApp;
/** And one that wants nonces. */
let strict: TestApp;
let owner: Owner;
let thief: Owner;
let oven: TestClient;
/** A public client. */
let app: string;

beforeAll(async () => {
  keks = await startTestApp();
  const shared = { ...keks.database, close: async () => undefined };
  twin = await startTestApp({}, shared);
  strict = await startTestApp({ DPOP_REQUIRE_NONCE: 'true' }, shared);
  [owner, thief] = await Promise.all([newOwner(), newOwner('Ed25519')]);
  await keks.addUser('Ann', 'cookies:eat keks:admin');
  oven = await addClient(keks);
  app = await addPublic();
});

afterAll(async () => {
  await Promise.all([twin.close(), strict.close()]);
  await keks.close();
});

async function addPublic(client: Partial<NewClient> = {}): Promise<string> {
  const given = { name: 'app', scope: ['cookies:eat'], audience: [], resources: [] } as const;
  const one = { ...given, tokenFormat: 'opaque', redirectUris: [DONE], ...client } as const;
  return (await keks.app.get(ClientsService).addPublic(one, BY_OPERATOR)).clientId;
}

const at = (path: string, of: Partial<ProofOf> = {}, by = owner): Promise<string> =>
  proof(by, { method: 'POST', url: ISSUER + path, now: keks.clock.now(), ...of });

/** At the token endpoint, with a proof unless `by` is null. */
async function ask(
  form: Record<string, string>,
  { by = owner, headers = {}, server = keks, of = {} }: Asking = {},
): Promise<Answer> {
  const dpop = by && { dpop: await at('/oauth/token', of, by) };
  return submit(server.url, '/oauth/token', form, { ...headers, ...dpop });
}

interface Asking {
  readonly by?: Owner | null;
  readonly headers?: Record<string, string>;
  readonly server?: TestApp;
  readonly of?: Partial<ProofOf>;
}

const forItself = (asking: Asking = {}, client = oven): Promise<Answer> =>
  ask({ grant_type: 'client_credentials' }, { ...asking, headers: basic(client) });

function bound(answer: Answer): Issued {
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  return answer.body as Issued;
}

/** With the scheme DPoP, by its owner if nobody else is named. */
async function use(
  token: string,
  path = '/cookies',
  { by = owner, method = 'GET', server = keks, nonce, body }: Using = {},
): Promise<Answer> {
  const sent = await at(path.split('?')[0] ?? '', { method, token, nonce }, by);
  return request(server.url, path, {
    method,
    headers: {
      authorization: `DPoP ${token}`,
      dpop: sent,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

interface Using {
  readonly by?: Owner;
  readonly method?: string;
  readonly server?: TestApp;
  readonly nonce?: string | undefined;
  readonly body?: unknown;
}

const asBearer = (token: string, path = '/cookies', method = 'GET'): Promise<Answer> =>
  request(keks.url, path, { method, headers: { authorization: `Bearer ${token}` } });

async function introspected(token: string, client = oven): Promise<Record<string, unknown>> {
  const answer = await submit(keks.url, '/oauth/introspect', { token }, basic(client));
  return answer.body as Record<string, unknown>;
}

describe('POST /oauth/token with a proof (RFC 9449 §5)', () => {
  it.each(['opaque', 'jwt'] as const)('binds what a client gets for itself: %s', async (tokenFormat) => {
    const client = await addClient(keks, { tokenFormat });
    const { access_token: token } = bound(await forItself({}, client));
    expect((await use(token)).body).toEqual(['Cookie', 'Cookie', 'Cookie']);
    expect(await introspected(token, client)).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: owner.jkt },
    });
    // §6.1
    if (tokenFormat === 'jwt') expect(claimsOf(token)['cnf']).toEqual({ jkt: owner.jkt });
  });

  it('leaves everything as it was without one', async () => {
    const answer = await forItself({ by: null });
    expect(answer.body).toMatchObject({ token_type: 'Bearer' });
    const { access_token: token } = answer.body as Issued;
    const told = await introspected(token);
    expect([told['token_type'], 'cnf' in told]).toEqual(['Bearer', false]);
    expect((await post(keks.url, '/validate', { token })).body).toEqual({
      active: true,
      expires_in: expect.any(Number),
    });
  });

  it('tells the holder at POST /validate by whose key it is bound', async () => {
    const { access_token: token } = bound(await forItself());
    expect((await post(keks.url, '/validate', { token })).body).toEqual({
      active: true,
      expires_in: expect.any(Number),
      token_type: 'DPoP',
      cnf: { jkt: owner.jkt },
    });
  });

  it.each([
    ['for another address', { url: `${ISSUER}/oauth/introspect` }],
    ['for another method', { method: 'GET' }],
    ['of another time', { now: Date.now() - 120_000 }],
    ['of another kind', { header: { typ: 'JWT' } }],
  ] satisfies [string, Partial<ProofOf>][])('400 invalid_dpop_proof for a proof %s', async (_, of) => {
    expectRefusal(await forItself({ of }), 400, 'invalid_dpop_proof');
  });

  it('400 for two proofs, and for none at all in the header', async () => {
    const one = await at('/oauth/token');
    const form = { grant_type: 'client_credentials', ...secretPost(oven) };
    expectRefusal(await submit(keks.url, '/oauth/token', form, { dpop: '' }), 400, 'invalid_dpop_proof');
    const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded' });
    headers.append('dpop', one);
    headers.append('dpop', await at('/oauth/token'));
    const init = { method: 'POST', headers, body: new URLSearchParams(form).toString() };
    expectRefusal(await request(keks.url, '/oauth/token', init), 400, 'invalid_dpop_proof');
    expect((await submit(keks.url, '/oauth/token', form, { dpop: one })).status).toBe(200);
  });

  it('who the client is comes first: a proof does not make up for a secret', async () => {
    const answer = await forItself({}, { ...oven, clientSecret: 'kcs_wrong' });
    expect([answer.status, answer.body]).toMatchObject([401, { error: 'invalid_client' }]);
  });

  it('a proof works once, whichever instance it comes to (§11.1)', async () => {
    const dpop = await at('/oauth/token');
    const form = { grant_type: 'client_credentials' };
    const headers = { ...basic(oven), dpop };
    const answers = await Promise.all(
      [keks, twin, keks, twin, keks, twin].map((server) => submit(server.url, '/oauth/token', form, headers)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400, 400, 400]);
  });

  it('the form cannot name a key that nobody has proved', async () => {
    const form = { grant_type: 'client_credentials', jkt: owner.jkt };
    expect((await submit(keks.url, '/oauth/token', form, basic(oven))).body).toMatchObject({
      token_type: 'Bearer',
    });
  });

  it('is explained to the operator as what it is', async () => {
    const { access_token: token } = bound(await forItself());
    const explanation = await keks.app.get(TokenExplainer).explain(token);
    expect(jsonOf(explanation, token)).toMatchObject({ active: true, jkt: owner.jkt });
    expect(textOf(explanation, token)).toMatch(/not as a bearer token: with a proof by its key/);
  });

  it('stands in the audit log with the key', async () => {
    bound(await forItself());
    const { rows } = await keks.database.client.query<{ jkt: string }>(
      `SELECT detail ->> 'jkt' AS jkt FROM audit_events WHERE type = 'token.issued' AND detail ? 'jkt'`,
    );
    expect(new Set(rows.map(({ jkt }) => jkt))).toEqual(new Set([owner.jkt]));
  });
});

describe('a bound token at the authority', () => {
  it("is good by its owner's proof only: neither as a bearer token nor with another key (§7.2)", async () => {
    const { access_token: token } = bound(await forItself());
    const stolen = await asBearer(token);
    expect([stolen.status, stolen.body]).toMatchObject([401, { error: 'invalid_token' }]);
    expect(stolen.headers.get('www-authenticate')).toMatch(/^Bearer realm="CookieFactory", error="invalid_t/);
    const forged = await use(token, '/cookies', { by: thief });
    expect([forged.status, forged.body]).toMatchObject([401, { error: 'invalid_token' }]);
    expect(forged.headers.get('www-authenticate')).toMatch(/^DPoP realm="CookieFactory", .*algs="ES256 /);
    expect((await use(token)).status).toBe(200);
  });

  it('the challenge without any token is the one of the story, to the letter', async () => {
    const answer = await request(keks.url, '/cookies', {});
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="CookieFactory"(?:, (?!error)|$)/);
    expect(answer.headers.get('www-authenticate')).not.toContain('DPoP');
  });

  it.each([
    ['GET', '/sessions'],
    ['GET', '/keys'],
    ['DELETE', '/sessions'],
    ['GET', '/admin/users'],
    ['GET', '/consents'],
  ])('of a login, as a bearer token, opens nothing of the account: %s %s', async (method, path) => {
    const { token } = (await login()).body as { token: string };
    const stolen = await asBearer(token, path, method);
    expect([stolen.status, stolen.body]).toMatchObject([401, { error: 'invalid_token' }]);
    expect((await use(token, path, { by: thief, method })).status).toBe(401);
    expect((await use(token, path, { method })).status).toBeLessThan(300);
  });

  it('works at other routes with their own methods and bodies, each with a proof of its own', async () => {
    const { token } = (await login()).body as { token: string };
    const body = { label: 'x', password: PASSWORD, scope: 'cookies:eat' };
    const made = await use(token, '/keys', { method: 'POST', body });
    expect(made).toMatchObject({ status: 201, body: { label: 'x' } });
    const { id } = made.body as { id: string };
    expect((await use(token, `/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await use(token, '/sessions?limit=1')).status).toBe(200);
  });

  it('an overheard request works once, whichever instance it comes to (§11.1)', async () => {
    const { access_token: token } = bound(await forItself());
    const headers = {
      authorization: `DPoP ${token}`,
      dpop: await at('/cookies', { method: 'GET', token }),
    };
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, time) => request((time % 2 ? keks : twin).url, '/cookies', { headers })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(29);
  });

  it('what is over is forgotten, a few rows with each proof that comes', async () => {
    const { access_token: token } = bound(await forItself());
    const { client } = keks.database;
    await client.query(
      `INSERT INTO used_proofs SELECT sha256(n::text::bytea), now() - interval '1 hour' FROM generate_series(1, 30) AS n`,
    );
    for (let time = 0; time < 5; time += 1) expect((await use(token)).status).toBe(200);
    const { rows } = await client.query<{ over: number }>(
      `SELECT count(*)::int AS over FROM used_proofs WHERE expires_at < now() - interval '30 minutes'`,
    );
    expect(rows).toEqual([{ over: 0 }]);
  });

  it('a token that is not bound is refused with the scheme DPoP, an API key too', async () => {
    const { access_token: token } = (await forItself({ by: null })).body as Issued;
    expect((await use(token)).status).toBe(401);
    expect((await asBearer(token)).status).toBe(200);
  });

  it('is revoked by whoever holds it, and dies with its grant', async () => {
    const { access_token: token } = bound(await forItself());
    expect((await use(token)).status).toBe(200);
    await post(keks.url, '/revoke', { token });
    expect((await use(token)).status).toBe(401);
  });

  it('keeps its key while all of its owner is being ended, and is dead then', async () => {
    const client = await addClient(keks);
    const { access_token: token } = bound(await forItself({}, client));
    await keks.app.get(ClientsService).revokeAll(client.clientId, BY_OPERATOR);
    expect((await use(token)).status).toBe(401);
    expect((await asBearer(token)).status).toBe(401);
  });
});

async function login(more: Record<string, unknown> = {}, by: Owner | null = owner): Promise<Answer> {
  const headers: Record<string, string> = by ? { dpop: await at('/issue', {}, by) } : {};
  return post(keks.url, '/issue', { user: 'Ann', password: PASSWORD, ...more }, headers);
}

describe('POST /issue with a proof', () => {
  it.each(['opaque', 'jwt'])('binds the login and its refresh token: %s', async (format) => {
    const scope = 'cookies:eat offline_access';
    const answer = await login({ format, scope });
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    const { token, refresh_token: refresh } = answer.body as { token: string; refresh_token: string };
    expect((await asBearer(token)).status).toBe(401);
    expect((await use(token)).status).toBe(200);
    const form = { grant_type: 'refresh_token', refresh_token: refresh };
    expectRefusal(await ask(form, { by: null }), 400, 'invalid_grant');
    expect((await use(bound(await ask(form)).access_token)).status).toBe(200);
  });

  it('400 for one that is not good, and nobody is logged in', async () => {
    const headers = { dpop: await at('/oauth/token') };
    const answer = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD }, headers);
    expect([answer.status, answer.body]).toMatchObject([400, { error: 'invalid_dpop_proof' }]);
  });
});

/** From a request to a code, of somebody who says yes. */
async function codeFor(
  clientId: string,
  parameters: Record<string, string> = {},
): Promise<Record<string, string>> {
  const { verifier, challenge } = pkce();
  const asked = { client_id: clientId, redirect_uri: DONE, code_challenge: challenge };
  const visitor = new Visitor(keks.url);
  const scope = 'cookies:eat offline_access';
  const page = await visitor.signIn(
    await visitor.open(authorizePath({ ...asked, scope, ...parameters })),
    'Ann',
  );
  const answer = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
  const form = { grant_type: 'authorization_code', code: answer['code'] ?? '', redirect_uri: DONE };
  return { ...form, code_verifier: verifier, client_id: clientId };
}

describe('the code flow', () => {
  it('binds both tokens of a public client to its key (§5)', async () => {
    const { access_token: token, refresh_token: refresh = '' } = bound(await ask(await codeFor(app)));
    expect((await use(token)).status).toBe(200);
    expect((await asBearer(token)).status).toBe(401);
    const form = { grant_type: 'refresh_token', refresh_token: refresh, client_id: app };
    expectRefusal(await ask(form, { by: null }), 400, 'invalid_grant');
    expectRefusal(await ask(form, { by: thief }), 400, 'invalid_grant');
    // that has harmed nobody
    const second = bound(await ask(form));
    expect(second.refresh_token).not.toBe(refresh);
    // within the grace period the same answer again, for its owner alone
    expectRefusal(await ask(form, { by: null }), 400, 'invalid_grant');
    expect(bound(await ask(form)).refresh_token).toBe(second.refresh_token);
    const next = { ...form, refresh_token: second.refresh_token ?? '' };
    expectRefusal(await ask(next, { by: thief }), 400, 'invalid_grant');
    const third = bound(await ask(next));
    // a thief without the key cannot even end it all with a used one
    expectRefusal(await ask(form, { by: thief }), 400, 'invalid_grant');
    expect(await isAlive(keks, third.access_token)).toBe(true);
  });

  it('§5: an unbound refresh token of a public client is bound by the first proof that comes with it', async () => {
    const first = (await ask(await codeFor(app), { by: null })).body as Issued;
    expect(first.token_type).toBe('Bearer');
    const form = { grant_type: 'refresh_token', client_id: app, refresh_token: first.refresh_token ?? '' };
    const second = bound(await ask(form));
    const next = { ...form, refresh_token: second.refresh_token ?? '' };
    expectRefusal(await ask(next, { by: null }), 400, 'invalid_grant');
    bound(await ask(next));
  });

  it('§5: a client with a secret may change its key: its refresh token is bound to the secret', async () => {
    const secret = await addClient(keks, { redirectUris: [DONE] });
    const headers = basic(secret);
    const first = bound(await ask(await codeFor(secret.clientId), { headers }));
    const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token ?? '' };
    const second = bound(await ask(form, { headers, by: thief }));
    expect((await use(second.access_token, '/cookies', { by: thief })).status).toBe(200);
    expect((await use(second.access_token)).status).toBe(401);
    const third = await ask({ ...form, refresh_token: second.refresh_token ?? '' }, { headers, by: null });
    expect(third.body).toMatchObject({ token_type: 'Bearer' });
  });

  it('§10: a code for a key needs a proof by it, and is unharmed by others', async () => {
    const form = await codeFor(app, { dpop_jkt: owner.jkt });
    expectRefusal(await ask(form, { by: null }), 400, 'invalid_grant');
    expectRefusal(await ask(form, { by: thief }), 400, 'invalid_grant');
    expect((await use(bound(await ask(form)).access_token)).status).toBe(200);
  });

  it('§10: a dpop_jkt that is no thumbprint goes back to the client', async () => {
    for (const jkt of ['x', `${owner.jkt}A`, `${owner.jkt.slice(1)}=`]) {
      const asked = { client_id: app, redirect_uri: DONE, code_challenge: pkce().challenge, dpop_jkt: jkt };
      const page = await new Visitor(keks.url).open(authorizePath(asked));
      expect(answerOf(page)).toMatchObject({ error: 'invalid_request' });
    }
  });
});

describe('a pushed request (§10.1)', () => {
  const push = async (more: Record<string, string> = {}, by: Owner | null = null): Promise<Answer> => {
    const { verifier, challenge } = pkce();
    const asked = { client_id: app, redirect_uri: DONE, code_challenge: challenge, response_type: 'code' };
    const dpop = by && { dpop: await at('/oauth/par', {}, by) };
    const form = { ...asked, code_challenge_method: 'S256', scope: 'cookies:eat', ...more };
    const answer = await submit(keks.url, '/oauth/par', form, { ...dpop });
    return { ...answer, body: { ...(answer.body as object), verifier } };
  };

  async function codeOf({ body }: Answer): Promise<Record<string, string>> {
    const { request_uri: uri, verifier } = body as Record<string, string>;
    const visitor = new Visitor(keks.url);
    const path = `/oauth/authorize?${new URLSearchParams({ client_id: app, request_uri: uri ?? '' })}`;
    const page = await visitor.signIn(await visitor.open(path), 'Ann');
    const answer = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
    const form = { grant_type: 'authorization_code', code: answer['code'] ?? '', redirect_uri: DONE };
    return { ...form, code_verifier: verifier ?? '', client_id: app };
  }

  it('binds its code to the key of the proof that it came with, or to the dpop_jkt', async () => {
    for (const asked of [await push({}, owner), await push({ dpop_jkt: owner.jkt })]) {
      expect(asked.status).toBe(201);
      const form = await codeOf(asked);
      expectRefusal(await ask(form, { by: null }), 400, 'invalid_grant');
      expectRefusal(await ask(form, { by: thief }), 400, 'invalid_grant');
      expect((await use(bound(await ask(form)).access_token)).status).toBe(200);
    }
  });

  it('400 if the proof and the dpop_jkt are of two keys, and for a proof that is not good', async () => {
    expect(await push({ dpop_jkt: thief.jkt }, owner)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', parameter: 'dpop_jkt' },
    });
    const elsewhere = { dpop: await at('/oauth/token') };
    expectRefusal(
      await submit(keks.url, '/oauth/par', { client_id: app }, elsewhere),
      400,
      'invalid_dpop_proof',
    );
  });
});

describe('the device grant', () => {
  it('binds the tokens of a public client to the key that it proves when it gets them', async () => {
    const screen = await addPublic({ deviceGrant: true, redirectUris: [] });
    const scope = 'cookies:eat offline_access';
    const codes = codesOf(await askForCodes(keks.url, { client_id: screen, scope }));
    await decide(new Visitor(keks.url), 'Ann', codes.user_code);
    const form = { grant_type: DEVICE_GRANT, device_code: codes.device_code, client_id: screen };
    const { access_token: token, refresh_token: refresh = '' } = bound(await ask(form));
    expect((await use(token)).status).toBe(200);
    expect((await asBearer(token)).status).toBe(401);
    const next = { grant_type: 'refresh_token', refresh_token: refresh, client_id: screen };
    expectRefusal(await ask(next, { by: thief }), 400, 'invalid_grant');
    bound(await ask(next));
  });
});

describe('dpop_bound_access_tokens (§5.2)', () => {
  it('a client that has it gets nothing without a proof, by any grant', async () => {
    const client = await addClient(keks, { dpopBound: true });
    expectRefusal(await forItself({ by: null }, client), 400, 'invalid_dpop_proof');
    bound(await forItself({}, client));
    const bare = await addPublic({ dpopBound: true });
    const form = await codeFor(bare);
    expectRefusal(await ask(form, { by: null }), 400, 'invalid_dpop_proof');
    bound(await ask(form));
  });

  it('is switched by an administrator, and shown', async () => {
    const { token } = (await login({}, null)).body as { token: string };
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const admin = (method: string, path: string, body?: unknown): Promise<Answer> =>
      request(keks.url, path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    const given = { name: 'bound', scope: 'cookies:eat', dpop_bound_access_tokens: true };
    const added = await admin('POST', '/admin/clients', given);
    expect(added).toMatchObject({ status: 201, body: { dpop_bound_access_tokens: true } });
    const { client_id: clientId, client_secret: clientSecret } = added.body as Record<string, string>;
    const client = { clientId: clientId ?? '', clientSecret: clientSecret ?? '' };
    expectRefusal(await forItself({ by: null }, client), 400, 'invalid_dpop_proof');
    const off = await admin('PATCH', `/admin/clients/${clientId}`, { dpop_bound_access_tokens: false });
    expect(off).toMatchObject({ status: 200, body: { dpop_bound_access_tokens: false } });
    expect((await forItself({ by: null }, client)).status).toBe(200);
    expect((await admin('GET', `/admin/clients/${clientId}`)).body).toMatchObject({
      dpop_bound_access_tokens: false,
    });
  });
});

describe('DPOP_REQUIRE_NONCE (§8, §9)', () => {
  it('the token endpoint and the API ask for a nonce, and take the one that they gave', async () => {
    const first = await forItself({ server: strict });
    expectRefusal(first, 400, 'use_dpop_nonce');
    const nonce = first.headers.get('dpop-nonce') ?? '';
    const answer = await forItself({ server: strict, of: { nonce } });
    const { access_token: token } = bound(answer);
    expect(answer.headers.get('dpop-nonce')).toBeNull();
    const refused = await use(token, '/cookies', { server: strict });
    expect([refused.status, refused.body]).toMatchObject([401, { error: 'use_dpop_nonce' }]);
    expect((await use(token, '/cookies', { server: strict, nonce })).status).toBe(200);
    strict.clock.advance(150);
    const late = await use(token, '/cookies', { server: strict, nonce });
    expect([late.status, late.headers.get('dpop-nonce')]).toEqual([200, expect.stringMatching(/^\S+$/)]);
    strict.clock.advance(150);
    expect((await use(token, '/cookies', { server: strict, nonce })).status).toBe(401);
    strict.clock.advance(-300);
  });

  it('a request that has no proof is asked for none', async () => {
    expect((await forItself({ server: strict, by: null })).status).toBe(200);
  });
});

describe('what strangers are told', () => {
  it('the algorithms, in the metadata (§5.1, RFC 9728 §2)', async () => {
    const server = await request(keks.url, '/.well-known/oauth-authorization-server', {});
    expect(server.body).toMatchObject({ dpop_signing_alg_values_supported: ALGS });
    const resource = await request(keks.url, '/.well-known/oauth-protected-resource', {});
    expect(resource.body).toMatchObject({
      dpop_signing_alg_values_supported: ALGS,
      dpop_bound_access_tokens_required: false,
    });
  });

  it('a browser on another origin may send a proof, and sees nonce and challenge', async () => {
    const shared = { ...keks.database, close: async () => undefined };
    const open = await startTestApp({ CORS_ORIGINS: 'https://app.example' }, shared);
    const origin = 'https://app.example';
    const preflight = await request(open.url, '/oauth/token', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' },
    });
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/\bDPoP\b/);
    const answer = await request(open.url, '/cookies', { headers: { origin } });
    const exposed = answer.headers.get('access-control-expose-headers') ?? '';
    expect(exposed.split(/, */)).toEqual(expect.arrayContaining(['DPoP-Nonce', 'WWW-Authenticate']));
    await open.close();
  });
});
