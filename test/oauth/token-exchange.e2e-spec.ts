import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JwtValidator } from 'keks-guard/jwt';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { newOwner, proof } from '../support/dpop.js';
import { ACCESS_TOKEN, exchange, EXCHANGE_GRANT, JWT, type Exchanged } from '../support/exchange.js';
import { claimsOf } from '../support/forge.js';
import { untilWaiting } from '../support/locks.js';
import {
  addClient,
  basic,
  BY_OPERATOR,
  clientToken,
  expectRefusal,
  isAlive,
  refresh,
  secretPost,
  submit,
  type TestClient,
} from '../support/oauth.js';
import {
  get,
  PASSWORD,
  PATIENT_MS,
  PATIENTLY,
  post,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';
import { answerOf, authorizePath, pkce, Visitor } from '../support/visitor.js';
import { send } from '../support/wire.js';

const SHOP = 'https://shop.example';
const TEA = 'https://tea.example';
const CUP = 'https://cup.example';
const OVEN = 'https://oven.example';
const DONE = 'https://app.example/done';
const SCOPE = ['tea:pour', 'shop:read', 'cup:fill', 'cookies:eat', 'keks:admin'];

let keks: TestApp;
/** APIs that call one another: the shop calls tea, and tea calls the cups. */
let shop: TestClient;
let tea: TestClient;
let cup: TestClient;
let people = 0;

beforeAll(async () => {
  keks = await startTestApp({ LEASE_TTL: '2s' });
  [shop, tea, cup] = await Promise.all([
    addShop(),
    addTea(),
    addClient(keks, { scope: [], audience: [CUP] }),
  ]);
  await addClient(keks, { scope: [], audience: [OVEN] });
  await keks.addUser('Boss', 'keks:admin');
});

afterAll(() => keks.close());

const addShop = (): Promise<TestClient> =>
  addClient(keks, {
    name: 'shop',
    scope: ['tea:pour', 'tea:drink', 'shop:read', 'cookies:eat', 'keks:admin'],
    audience: [SHOP],
    resources: [`${TEA} tea:pour tea:drink`, CUP],
    tokenExchange: true,
  });

const addTea = (): Promise<TestClient> =>
  addClient(keks, {
    name: 'tea',
    scope: ['tea:pour', 'cup:fill'],
    audience: [TEA],
    resources: [CUP, TEA],
    tokenExchange: true,
  });

interface Person {
  readonly id: string;
  readonly name: string;
  /** For the shop. */
  readonly token: string;
  readonly refreshToken: string;
}

/** Somebody of whom no other test knows, signed in at the shop. */
async function person(more: object = {}): Promise<Person> {
  const name = `Person ${(people += 1)}`;
  await keks.addUser(name, SCOPE.join(' '));
  const scope = `${SCOPE.filter((one) => !one.startsWith('keks:')).join(' ')} offline_access`;
  const answer = await post(keks.url, '/issue', {
    ...{ user: name, password: PASSWORD, resource: SHOP, scope },
    ...more,
  });
  expect(answer.status).toBe(200);
  const { token, refresh_token: refreshToken } = answer.body as { token: string; refresh_token: string };
  const { rows } = await keks.database.client.query<{ id: string }>('SELECT id FROM users WHERE name = $1', [
    name,
  ]);
  return { id: rows[0]?.id ?? '', name, token, refreshToken };
}

function exchanged(answer: Answer): Exchanged {
  expect([answer.status, answer.body]).toEqual([200, expect.any(Object)]);
  return answer.body as Exchanged;
}

/** The token for tea. */
const forTea = async (token: string, more: Record<string, string> = {}): Promise<Exchanged> =>
  exchanged(await exchange(keks, shop, token, { resource: TEA, ...more }));

async function introspected(token: string, client: TestClient): Promise<Record<string, unknown>> {
  return (await submit(keks.url, '/oauth/introspect', { token }, basic(client))).body as Record<
    string,
    unknown
  >;
}

const admin = (): Promise<string> => keks.login('Boss');

/** A token of a client for tea, the API that it does not go to itself. */
async function selfToken(client: TestClient): Promise<string> {
  return (await clientToken(keks, client)).access_token;
}

describe('grant_type=token-exchange (RFC 8693)', () => {
  it.each([
    ['access_token', ACCESS_TOKEN, {}],
    ['access_token', ACCESS_TOKEN, { requested_token_type: ACCESS_TOKEN }],
    ['jwt', JWT, { requested_token_type: JWT }],
  ])('§2.2.1: a person’s token for the shop becomes one for tea: %s', async (_, type, more) => {
    const { id, name, token } = await person();
    const answer = await exchange(keks, shop, token, { resource: TEA, ...more });
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/./),
      issued_token_type: type,
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 'tea:pour',
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const made = exchanged(answer).access_token;
    expect(made.includes('.')).toBe(type === JWT);
    const told = {
      active: true,
      sub: id,
      username: name,
      client_id: shop.clientId,
      act: { sub: shop.clientId },
      aud: TEA,
      scope: 'tea:pour',
      token_type: 'Bearer',
    };
    expect(await introspected(made, tea)).toMatchObject(told);
    // issued to the shop, and none of the cup's business
    expect(await introspected(made, shop)).toMatchObject(told);
    expect(await introspected(made, cup)).toEqual({ active: false });
    // the token that it was made from is what it was
    expect(await introspected(token, shop)).toMatchObject({ active: true, client_id: 'keks', aud: SHOP });
    expect('act' in (await introspected(token, shop))).toBe(false);
    // §4.1
    if (type === JWT)
      expect(claimsOf(made)).toMatchObject({
        ...{ sub: id, client_id: shop.clientId, aud: TEA, scope: 'tea:pour', act: { sub: shop.clientId } },
      });
  });

  it('makes JWTs for a client whose tokens are JWTs', async () => {
    const client = await addClient(keks, {
      ...{ scope: ['tea:pour'], audience: [SHOP], resources: [TEA], tokenExchange: true, tokenFormat: 'jwt' },
    });
    const made = exchanged(await exchange(keks, client, (await person()).token, { resource: TEA }));
    expect([made.access_token.includes('.'), made.issued_token_type]).toEqual([true, ACCESS_TOKEN]);
  });

  it('takes the secret in the form, too, and the public name of a client for nobody', async () => {
    const { token } = await person();
    const form = {
      grant_type: EXCHANGE_GRANT,
      subject_token: token,
      subject_token_type: ACCESS_TOKEN,
      resource: TEA,
    };
    exchanged(await submit(keks.url, '/oauth/token', { ...form, ...secretPost(shop) }));
    for (const more of [{}, { client_id: shop.clientId }])
      expectRefusal(await submit(keks.url, '/oauth/token', { ...form, ...more }), 401, 'invalid_client');
  });

  describe('§2.1: the request', () => {
    it.each([
      [{ subject_token: '' }, 'subject_token'],
      [{ subject_token_type: '' }, 'subject_token_type'],
      [{ subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'subject_token_type'],
      [{ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'subject_token_type'],
      [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'requested_token_type'],
      [{ requested_token_type: 'jwt' }, 'requested_token_type'],
      [{ actor_token_type: ACCESS_TOKEN }, 'actor_token'],
      [{ actor_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'actor_token_type'],
      [{ actor_token: 'x' }, 'actor_token_type'],
    ])('400 invalid_request: %j', async (more, parameter) => {
      const answer = await exchange(keks, shop, (await person()).token, { resource: TEA, ...more });
      expectRefusal(answer, 400, 'invalid_request');
      expect(answer.body).toMatchObject({ parameter });
    });

    it.each([
      ['opaque', ACCESS_TOKEN, 200],
      ['opaque', JWT, 400],
      ['jwt', ACCESS_TOKEN, 200],
      ['jwt', JWT, 200],
    ])('§3: a subject token that is %s, as %s: %i', async (format, type, status) => {
      const { token } = await person({ format });
      expect((await exchange(keks, shop, token, { resource: TEA, subject_token_type: type })).status).toBe(
        status,
      );
    });

    it('takes a token of the client itself as actor_token, and no other', async () => {
      const { token } = await person();
      const own = await selfToken(shop);
      const actor = (one: string) => ({ actor_token: one, actor_token_type: ACCESS_TOKEN });
      const { access_token: made } = await forTea(token, actor(own));
      expect(await introspected(made, tea)).toMatchObject({ act: { sub: shop.clientId } });
      const ofTea = await selfToken(tea);
      for (const wrong of [token, ofTea, 'kat_x', (await forTea(token)).access_token]) {
        const answer = await exchange(keks, shop, token, { resource: TEA, ...actor(wrong) });
        expectRefusal(answer, 400, 'invalid_request');
        expect(answer.body).toMatchObject({ parameter: 'actor_token' });
      }
      const jwt = { ...actor(own), actor_token_type: JWT };
      expectRefusal(await exchange(keks, shop, token, { resource: TEA, ...jwt }), 400, 'invalid_request');
    });

    it('does not take a token out of the URL', async () => {
      const { token } = await person();
      const path = `/oauth/token?subject_token=${token}`;
      const form = { grant_type: EXCHANGE_GRANT, subject_token: token, subject_token_type: ACCESS_TOKEN };
      expectRefusal(await submit(keks.url, path, form, basic(shop)), 400, 'invalid_request');
    });
  });

  describe('§2.1, §2.2.2: for which API', () => {
    it.each([
      [{ resource: TEA }, TEA],
      [{ audience: TEA }, TEA],
      [{ resource: TEA, audience: TEA }, TEA],
      [{ resource: SHOP }, SHOP],
      [{}, 'http://127.0.0.1:3000'],
    ])('%j is for %s', async (more, audience) => {
      const made = exchanged(await exchange(keks, shop, (await person()).token, more));
      expect(await introspected(made.access_token, shop)).toMatchObject({ aud: audience });
    });

    it.each([
      // registered, and not given to the shop
      { resource: OVEN },
      { audience: OVEN },
      { resource: 'https://nobody.example' },
      { resource: TEA, audience: CUP },
    ])('400 invalid_target: %j', async (more) => {
      expectRefusal(await exchange(keks, shop, (await person()).token, more), 400, 'invalid_target');
    });

    it('invalid_target for an API that was taken away, and for any to which nobody has given one', async () => {
      const client = await addShop();
      const { token } = await person();
      exchanged(await exchange(keks, client, token, { resource: TEA }));
      await keks.app.get(ClientsService).change(client.clientId, { resources: [CUP] }, BY_OPERATOR);
      expectRefusal(await exchange(keks, client, token, { resource: TEA }), 400, 'invalid_target');
    });
  });

  describe('scope: at most what both have', () => {
    it.each([
      ['tea:pour', 'tea:pour'],
      // all that both have for this API
      ['', 'tea:pour'],
    ])('%j: %s', async (scope, given) => {
      expect((await forTea((await person()).token, { scope })).scope).toBe(given);
    });

    it.each([
      // the shop's, and not the person's
      'tea:drink',
      // both have it, but not for tea
      'shop:read',
      // the person's, and not the shop's
      'cup:fill',
      // the authority's own
      'keks:admin',
      'keks:account',
      'offline_access',
      'tea:pour tea:drink',
      'a  b',
    ])('400 invalid_scope: %s', async (scope) => {
      const answer = await exchange(keks, shop, (await person()).token, { resource: TEA, scope });
      expectRefusal(answer, 400, 'invalid_scope');
    });

    it('no more than a subject token that was narrowed', async () => {
      const { token } = await person({ scope: 'shop:read' });
      expect((await forTea(token)).scope).toBe('');
      expectRefusal(
        await exchange(keks, shop, token, { resource: TEA, scope: 'tea:pour' }),
        400,
        'invalid_scope',
      );
    });

    it('nothing of the authority’s own, although the subject token and the client have it', async () => {
      const one = await addClient(keks, {
        ...{ scope: ['keks:admin', 'cookies:eat'], audience: [keks.config.AUDIENCE], tokenExchange: true },
      });
      await keks.addUser('Admin', 'keks:admin cookies:eat');
      const token = await keks.login('Admin');
      const made = exchanged(await exchange(keks, one, token));
      expect(made.scope).toBe('cookies:eat');
      expect((await get(keks.url, '/cookies', made.access_token)).status).toBe(200);
      for (const path of ['/sessions', '/keys', '/admin/users'])
        expect((await get(keks.url, path, made.access_token)).status).toBe(403);
      // and whatever its row says, it is no login
      await keks.database.client.query(
        `UPDATE access_tokens SET scope = 'keks:account' WHERE client_id = $1`,
        [one.clientId],
      );
      expect((await get(keks.url, '/sessions', made.access_token)).status).toBe(403);
    });
  });

  describe('life: no longer than anything that it comes from', () => {
    it.each(['opaque', 'jwt'])('than the subject token (%s)', async (format) => {
      keks.clock.freeze();
      const { token } = await person({ format });
      keks.clock.advance(3_000);
      const { access_token: made, expires_in: left } = await forTea(token);
      expect(left).toBe(600);
      keks.clock.advance(599);
      expect(await isAlive(keks, made)).toBe(true);
      keks.clock.advance(1);
      expect(await isAlive(keks, made)).toBe(false);
      keks.clock.advance(-3_600);
      keks.clock.thaw();
    });

    it('than the actor token', async () => {
      keks.clock.freeze();
      const actor = await selfToken(shop);
      keks.clock.advance(3_000);
      const { token } = await person();
      const more = { actor_token: actor, actor_token_type: ACCESS_TOKEN };
      expect((await forTea(token, more)).expires_in).toBe(600);
      expect((await forTea(token)).expires_in).toBe(3_600);
      keks.clock.advance(-3_000);
      keks.clock.thaw();
    });

    it('than its grant, also one that was shortened', async () => {
      keks.clock.freeze();
      const { id, token } = await person();
      const end = new Date((keks.clock.now() / 1_000 + 100) * 1_000);
      await keks.database.client.query('UPDATE grants SET expires_at = $1 WHERE user_id = $2', [end, id]);
      expect((await forTea(token)).expires_in).toBeLessThanOrEqual(100);
      keks.clock.thaw();
    });
  });

  describe('who may, and with which token', () => {
    it('400 unauthorized_client without the switch, whatever else is right', async () => {
      const client = await addClient(keks, { scope: ['tea:pour'], audience: [SHOP], resources: [TEA] });
      const { token } = await person();
      expectRefusal(await exchange(keks, client, token, { resource: TEA }), 400, 'unauthorized_client');
      await keks.app.get(ClientsService).change(client.clientId, { tokenExchange: true }, BY_OPERATOR);
      exchanged(await exchange(keks, client, token, { resource: TEA }));
      await keks.app.get(ClientsService).change(client.clientId, { tokenExchange: false }, BY_OPERATOR);
      expectRefusal(await exchange(keks, client, token, { resource: TEA }), 400, 'unauthorized_client');
    });

    it('never a client that acts for people, nor one of which nobody has said for which APIs', async () => {
      const clients = keks.app.get(ClientsService);
      const on = { tokenExchange: true };
      const apps = await addClient(keks, { redirectUris: [DONE] });
      expect(await clients.change(apps.clientId, on, BY_OPERATOR)).toEqual({ flaw: 'exchange_not_for_apps' });
      const app = { redirectUris: [DONE] };
      expect(await clients.change((await addShop()).clientId, app, BY_OPERATOR)).toEqual({
        flaw: 'exchange_not_for_apps',
      });
      const old = await addClient(keks);
      await keks.database.client.query('UPDATE clients SET resources = NULL WHERE client_id = $1', [
        old.clientId,
      ]);
      expect(await clients.change(old.clientId, on, BY_OPERATOR)).toEqual({
        flaw: 'exchange_without_resources',
      });
      expect(await clients.change(old.clientId, { ...on, resources: [TEA] }, BY_OPERATOR)).toMatchObject(on);
    });

    it('§2.2.2: of every other token it hears the same, and nothing is made', async () => {
      const { name, token, refreshToken } = await person();
      const account = await keks.login(name);
      const made = await send(keks.url, 'POST', '/keys', account, { label: 'x', password: PASSWORD });
      const { key } = made.body as { key: string };
      const dead = await person();
      await post(keks.url, '/revoke', { token: dead.token });
      const wrong = [
        // for another API, and not issued to the shop
        account,
        await selfToken(tea),
        refreshToken,
        key,
        shop.clientSecret,
        dead.token,
        `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`,
        'x',
        'a.b.c',
      ];
      const count = async (): Promise<unknown> =>
        (await keks.database.client.query('SELECT count(*) FROM access_tokens')).rows;
      const before = await count();
      const answers = await Promise.all(wrong.map((one) => exchange(keks, shop, one, { resource: TEA })));
      for (const answer of answers) {
        expectRefusal(answer, 400, 'invalid_request');
        expect(answer.body).toEqual(answers[0]?.body);
      }
      expect(await count()).toEqual(before);
    });

    it('what is not alive any more is refused from its end on', async () => {
      const { id, token } = await person();
      await forTea(token);
      await send(keks.url, 'PATCH', `/admin/users/${id}`, await admin(), { disabled: true });
      expectRefusal(await exchange(keks, shop, token, { resource: TEA }), 400, 'invalid_request');
    });
  });

  describe('bound to a key (RFC 9449)', () => {
    const at = (owner: Awaited<ReturnType<typeof newOwner>>): Promise<string> =>
      proof(owner, { method: 'POST', url: `${keks.config.ISSUER}/oauth/token`, now: keks.clock.now() });

    it('a bound token does not become one that is not, nor one that is bound to somebody else', async () => {
      const [owner, thief] = await Promise.all([newOwner(), newOwner()]);
      const bound = await addClient(keks, { ...{ scope: ['tea:pour'], resources: [SHOP] } });
      const form = { grant_type: 'client_credentials', resource: SHOP };
      const { body } = await submit(keks.url, '/oauth/token', form, {
        ...basic(bound),
        dpop: await at(owner),
      });
      const { access_token: token } = body as Exchanged;
      const to = { resource: TEA };
      const answer = await exchange(keks, shop, token, to);
      expectRefusal(answer, 400, 'invalid_request');
      expect(answer.body).toMatchObject({ parameter: 'subject_token' });
      expectRefusal(await exchange(keks, shop, token, to, { dpop: await at(thief) }), 400, 'invalid_request');
      const made = exchanged(await exchange(keks, shop, token, to, { dpop: await at(owner) }));
      expect(made.token_type).toBe('DPoP');
      expect(await introspected(made.access_token, tea)).toMatchObject({ cnf: { jkt: owner.jkt } });
      // and once more
      expectRefusal(await exchange(keks, tea, made.access_token, { resource: CUP }), 400, 'invalid_request');
    });

    it('a bearer token becomes one that is bound to the client’s key, if it brings a proof', async () => {
      const owner = await newOwner();
      const { token } = await person();
      const made = exchanged(await exchange(keks, shop, token, { resource: TEA }, { dpop: await at(owner) }));
      expect(await introspected(made.access_token, tea)).toMatchObject({
        token_type: 'DPoP',
        cnf: { jkt: owner.jkt },
      });
    });

    it('a client that gets only bound tokens gets no other here either', async () => {
      const client = await addShop();
      await keks.app.get(ClientsService).change(client.clientId, { dpopBound: true }, BY_OPERATOR);
      const answer = await exchange(keks, client, (await person()).token, { resource: TEA });
      expectRefusal(answer, 400, 'invalid_dpop_proof');
    });
  });

  describe('§4.1: exchanged once more', () => {
    it('names who acts, and in whose place: nested, opaque and JWT, and never wider', async () => {
      const { id, token } = await person();
      const first = (await forTea(token)).access_token;
      for (const type of [ACCESS_TOKEN, JWT]) {
        const more = { resource: CUP, requested_token_type: type };
        const made = exchanged(await exchange(keks, tea, first, more));
        // the person and tea have cup:fill, the token that tea was sent has not
        expect(made.scope).toBe('tea:pour');
        const act = { sub: tea.clientId, act: { sub: shop.clientId } };
        expect(await introspected(made.access_token, cup)).toMatchObject({
          sub: id,
          client_id: tea.clientId,
          act,
        });
        if (type === JWT) expect(claimsOf(made.access_token)['act']).toEqual(act);
      }
      expectRefusal(
        await exchange(keks, tea, first, { resource: CUP, scope: 'cup:fill' }),
        400,
        'invalid_scope',
      );
    });

    it('four act for one another, and no more', async () => {
      let token = (await forTea((await person()).token)).access_token;
      for (let depth = 2; depth <= 4; depth += 1)
        token = exchanged(await exchange(keks, tea, token, { resource: TEA })).access_token;
      const answer = await exchange(keks, tea, token, { resource: TEA });
      expectRefusal(answer, 400, 'invalid_request');
      expect(answer.body).toMatchObject({ parameter: 'subject_token' });
    });
  });

  it('a client’s own token is exchanged as well: the client is the subject', async () => {
    const robot = await addClient(keks, { scope: ['tea:pour'], resources: [SHOP] });
    const { access_token: token } = await clientToken(keks, robot, { resource: SHOP });
    const { access_token: made } = await forTea(token);
    expect(await introspected(made, tea)).toMatchObject({
      ...{ sub: robot.clientId, client_id: shop.clientId, act: { sub: shop.clientId } },
    });
    await keks.app.get(ClientsService).change(robot.clientId, { disabled: true }, BY_OPERATOR);
    expect(await isAlive(keks, made)).toBe(false);
  });

  it('what a person has allowed an app is exchanged by the API that it is for, and ends with the consent', async () => {
    const { name } = await person();
    const { clientId: app, clientSecret } = await addClient(keks, {
      ...{ scope: ['tea:pour', 'shop:read'], resources: [SHOP], redirectUris: [DONE] },
    });
    const { verifier, challenge } = pkce();
    const visitor = new Visitor(keks.url);
    const asked = { client_id: app, redirect_uri: DONE, code_challenge: challenge, resource: SHOP };
    const page = await visitor.signIn(await visitor.open(authorizePath(asked)), name);
    const { code = '' } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
    const form = { grant_type: 'authorization_code', code, redirect_uri: DONE, code_verifier: verifier };
    const answer = await submit(keks.url, '/oauth/token', form, basic({ clientId: app, clientSecret }));
    const { access_token: token } = answer.body as Exchanged;
    const made = await forTea(token, { requested_token_type: JWT });
    expect(await introspected(made.access_token, tea)).toMatchObject({
      ...{ username: name, client_id: shop.clientId, act: { sub: shop.clientId }, scope: 'tea:pour' },
    });
    const { body } = await send(keks.url, 'GET', '/consents', await keks.login(name));
    const [consent] = (body as { items: { client_id: string }[] }).items;
    const path = `/consents/${consent?.client_id}`;
    expect((await send(keks.url, 'DELETE', path, await keks.login(name))).status).toBe(204);
    expect(await isAlive(keks, made.access_token)).toBe(false);
  });
});

/** Each is done to what a token for the cups was made from: a person's login, by the shop, and then by tea. */
interface Life {
  readonly owner: Person;
  readonly shop: TestClient;
  readonly tea: TestClient;
  readonly first: string;
}

const patch = async (path: string, change: object): Promise<void> => {
  expect((await send(keks.url, 'PATCH', path, await admin(), change)).status).toBe(200);
};

const ENDS: readonly (readonly [string, (life: Life) => Promise<unknown>])[] = [
  ['the subject token is revoked', ({ owner }) => post(keks.url, '/revoke', { token: owner.token })],
  ['the token in between is revoked', ({ first }) => post(keks.url, '/revoke', { token: first })],
  [
    'the client in between takes its own token back',
    ({ shop: client, first }) => submit(keks.url, '/oauth/revoke', { token: first }, basic(client)),
  ],
  [
    'the login is ended by its refresh token',
    ({ owner }) => post(keks.url, '/revoke', { token: owner.refreshToken }),
  ],
  [
    'a refresh token comes back that was used',
    async ({ owner }) => {
      const { body } = await refresh(keks, owner.refreshToken);
      await refresh(keks, (body as { refresh_token: string }).refresh_token);
      await refresh(keks, owner.refreshToken);
    },
  ],
  [
    'the person signs out everywhere',
    async ({ owner }) => send(keks.url, 'DELETE', '/sessions', await keks.login(owner.name)),
  ],
  [
    'the person has a new password',
    async ({ owner }) =>
      send(keks.url, 'PUT', '/password', await keks.login(owner.name), {
        old_password: PASSWORD,
        new_password: `${PASSWORD} again`,
      }),
  ],
  ['the person is disabled', ({ owner }) => patch(`/admin/users/${owner.id}`, { disabled: true })],
  ['the person may do less', ({ owner }) => patch(`/admin/users/${owner.id}`, { scope: 'shop:read' })],
  [
    'an administrator ends the login',
    async ({ owner }) => send(keks.url, 'POST', `/admin/users/${owner.id}/revoke`, await admin()),
  ],
  [
    'somebody ends the login with psql',
    ({ owner }) =>
      keks.database.client.query('UPDATE grants SET revoked_at = now() WHERE user_id = $1', [owner.id]),
  ],
  [
    'who acts is disabled',
    ({ tea: client }) => patch(`/admin/clients/${client.clientId}`, { disabled: true }),
  ],
  [
    'who acted before is disabled',
    ({ shop: client }) => patch(`/admin/clients/${client.clientId}`, { disabled: true }),
  ],
  [
    'who acts has all of its tokens ended',
    async ({ tea: client }) =>
      send(keks.url, 'POST', `/admin/clients/${client.clientId}/revoke`, await admin()),
  ],
  [
    'who acted before may do less',
    ({ shop: client }) => patch(`/admin/clients/${client.clientId}`, { scope: 'x:y' }),
  ],
  [
    'who acts loses the API',
    ({ tea: client }) => patch(`/admin/clients/${client.clientId}`, { resources: [] }),
  ],
  [
    'who acted before may not exchange tokens any more',
    ({ shop: client }) => patch(`/admin/clients/${client.clientId}`, { token_exchange: false }),
  ],
  [
    'somebody disables who acts with psql',
    ({ tea: client }) =>
      keks.database.client.query('UPDATE clients SET disabled_at = now() WHERE client_id = $1', [
        client.clientId,
      ]),
  ],
];

describe('a token that was exchanged dies with everything that it comes from', () => {
  /** For the cups, with a lease: it asks nobody about a JWT that no entry means. */
  let guard: JwtValidator;

  beforeAll(() => {
    guard = new JwtValidator({
      issuer: keks.config.ISSUER,
      audience: CUP,
      jwksUri: `${keks.url}/.well-known/jwks.json`,
      introspectionEndpoint: `${keks.url}/oauth/introspect`,
      revocationsEndpoint: `${keks.url}/oauth/revocations`,
      revocations: 'exact',
      clientId: cup.clientId,
      clientSecret: cup.clientSecret,
      now: () => keks.clock.now(),
      timeoutMs: PATIENT_MS,
    });
  });

  afterAll(() => guard.onApplicationShutdown());

  it.each(ENDS)('when %s: at once, also for a guard that checks its JWT alone', async (name, end) => {
    const [owner, bystander, ownShop, ownTea] = await Promise.all([person(), person(), addShop(), addTea()]);
    const chain = async (
      token: string,
      type: string,
      by = ownTea,
      through = ownShop,
    ): Promise<[string, string]> => {
      const to = { resource: TEA, requested_token_type: type };
      const first = exchanged(await exchange(keks, through, token, to)).access_token;
      const more = { resource: CUP, requested_token_type: type };
      return [first, exchanged(await exchange(keks, by, first, more)).access_token];
    };
    const [first, opaque] = await chain(owner.token, ACCESS_TOKEN);
    const jwt = exchanged(
      await exchange(keks, ownTea, first, { resource: CUP, requested_token_type: JWT }),
    ).access_token;
    const [, other] = await chain(bystander.token, JWT, tea, shop);
    for (const token of [jwt, other]) expect(await guard.validate(token)).toMatchObject({ active: true });
    expect(await isAlive(keks, opaque)).toBe(true);
    await end({ owner, shop: ownShop, tea: ownTea, first });
    // nobody waits for what is done by hand, and guards hear of it within a lease
    if (name.includes('psql'))
      await expect.poll(async () => (await guard.validate(jwt)).active, PATIENTLY).toBe(false);
    expect(await guard.validate(jwt)).toMatchObject({ active: false });
    expect([await isAlive(keks, opaque), await isAlive(keks, jwt)]).toEqual([false, false]);
    expect(await introspected(opaque, cup)).toEqual({ active: false });
    // and nobody else's
    expect([await isAlive(keks, other), (await guard.validate(other)).active]).toEqual([true, true]);
  });

  it('and what it comes from lives on when it is taken back, by its holder or by its client', async () => {
    const { token } = await person();
    const [one, two] = [(await forTea(token)).access_token, (await forTea(token)).access_token];
    const answer = await submit(keks.url, '/oauth/revoke', { token: one }, basic(tea));
    expectRefusal(answer, 400, 'unauthorized_client');
    expect((await submit(keks.url, '/oauth/revoke', { token: one }, basic(shop))).status).toBe(200);
    expect([await isAlive(keks, one), await isAlive(keks, two), await isAlive(keks, token)]).toEqual([
      ...[false, true, true],
    ]);
    await post(keks.url, '/revoke', { token: two });
    expect([await isAlive(keks, two), await isAlive(keks, token)]).toEqual([false, true]);
  });

  it('guards are told of nothing where no JWT was made', async () => {
    const { token } = await person();
    const client = await addShop();
    const logged = async (): Promise<unknown> =>
      (
        await keks.database.client.query(
          `SELECT count(*) FROM revocations WHERE kind IN ('subject', 'actor')`,
        )
      ).rows;
    exchanged(await exchange(keks, client, token, { resource: TEA }));
    const before = await logged();
    await post(keks.url, '/revoke', { token });
    await patch(`/admin/clients/${client.clientId}`, { disabled: true });
    expect(await logged()).toEqual(before);
  });

  it('a row that is missing makes nothing more of it: without what it was made from it is nothing', async () => {
    const { token } = await person();
    const { access_token: made } = await forTea(token);
    await keks.database.client.query('DELETE FROM token_exchanges');
    expect(await isAlive(keks, made)).toBe(false);
  });

  describe('raced', () => {
    const lock = async (statement: string, values: unknown[]): Promise<void> => {
      await keks.database.client.query('BEGIN');
      await keks.database.client.query(statement, values);
    };

    it.each([
      [
        'its subject token is being revoked',
        `UPDATE access_tokens SET revoked_at = now() WHERE grant_id IN (SELECT id FROM grants WHERE user_id = $1)`,
        ({ id }: Person) => id,
        'invalid_request',
      ],
      [
        'its client is being disabled',
        'UPDATE clients SET disabled_at = now() WHERE client_id = $1',
        (_: Person, client: TestClient) => client.clientId,
        'invalid_client',
      ],
      [
        'its client is losing the switch',
        'UPDATE clients SET token_exchange = false WHERE client_id = $1',
        (_: Person, client: TestClient) => client.clientId,
        'unauthorized_client',
      ],
    ] as const)('while %s: it waits, and nothing is made', async (_, statement, value, error) => {
      const [owner, client] = await Promise.all([person(), addShop()]);
      exchanged(await exchange(keks, client, owner.token, { resource: TEA }));
      await lock(statement, [value(owner, client)]);
      const asked = exchange(keks, client, owner.token, { resource: TEA });
      await untilWaiting(keks.database, 1, asked);
      await keks.database.client.query('COMMIT');
      expectRefusal(await asked, error === 'invalid_client' ? 401 : 400, error);
    });

    it('many at once from one token: each is one, and none waits for another in vain', async () => {
      const [owner, client] = await Promise.all([person(), addShop()]);
      const more = { resource: TEA, requested_token_type: JWT };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => exchange(keks, client, owner.token, more)),
      );
      const made = answers.map((answer) => exchanged(answer).access_token);
      expect(new Set(made).size).toBe(20);
      await post(keks.url, '/revoke', { token: owner.token });
      for (const token of made) expect(await isAlive(keks, token)).toBe(false);
    });
  });
});

describe('what is told of an exchange', () => {
  it('to the audit log and in the life of both tokens: by whom, from which, for whom', async () => {
    const owner = await person();
    const { access_token: made } = await forTea(owner.token);
    const story = async (token: string) =>
      (await send(keks.url, 'POST', '/admin/tokens/story', await admin(), { token })).body as {
        token: { id: string; kind: string; refused_because: string[] };
        events: { what: string; by: string; token_id: string; from_id: string; scope: string }[];
      };
    const [source, told] = [await story(owner.token), await story(made)];
    const event = {
      ...{ what: 'token.exchanged', by: `client:${shop.clientId}`, scope: 'tea:pour' },
      ...{ token_id: told.token.id, from_id: source.token.id },
    };
    for (const { events } of [source, told])
      expect(events.filter(({ what }) => what === 'token.exchanged')).toEqual([
        expect.objectContaining(event),
      ]);
    const { rows } = await keks.database.client.query(
      `SELECT actor, detail FROM audit_events WHERE type = 'token.exchanged' AND token_id = $1`,
      [told.token.id],
    );
    expect(rows).toEqual([
      {
        actor: `client:${shop.clientId}`,
        detail: expect.objectContaining({
          audience: TEA,
          actors: [shop.clientId],
          subject_token_id: source.token.id,
        }),
      },
    ]);
    // by its id alone
    const byId = await send(keks.url, 'POST', '/admin/tokens/story', await admin(), { id: source.token.id });
    expect(byId.body).toMatchObject({ token: { kind: 'access' } });
  });

  it('and why it is dead: what it was made from, and who acts', async () => {
    const [owner, another, client] = await Promise.all([person(), person(), addShop()]);
    const to = { resource: TEA };
    const first = exchanged(await exchange(keks, client, owner.token, to)).access_token;
    const second = exchanged(await exchange(keks, client, another.token, to)).access_token;
    await post(keks.url, '/revoke', { token: owner.token });
    await patch(`/admin/clients/${client.clientId}`, { disabled: true });
    const story = async (token: string): Promise<[string[], string | undefined]> => {
      const { body } = await send(keks.url, 'POST', '/admin/tokens/story', await admin(), { token });
      const { token: told, events } = body as {
        token: { refused_because: string[] };
        events: { what: string }[];
      };
      return [told.refused_because, events.at(-1)?.what];
    };
    expect(await story(first)).toEqual([['source_revoked', 'actor_ended'], 'token.actor_ended']);
    expect(await story(second)).toEqual([['actor_ended'], 'token.actor_ended']);
  });

  it('to the audit log when it was refused', async () => {
    const client = await addShop();
    await exchange(keks, client, 'kat_x', { resource: TEA });
    const { rows } = await keks.database.client.query(
      `SELECT detail->>'reason' AS reason FROM audit_events WHERE type = 'token.refused' AND actor = $1`,
      [`client:${client.clientId}`],
    );
    expect(rows).toEqual([{ reason: 'invalid_request' }]);
  });

  it('in the metadata (RFC 8414), as long as there is somebody who may', async () => {
    const alone = await startTestApp();
    const listed = async (): Promise<boolean> => {
      const { body } = await get(alone.url, '/.well-known/oauth-authorization-server');
      return (body as { grant_types_supported: string[] }).grant_types_supported.includes(EXCHANGE_GRANT);
    };
    expect(await listed()).toBe(false);
    const { clientId } = await addClient(alone, { tokenExchange: true });
    alone.clock.advance(10);
    expect(await listed()).toBe(true);
    await alone.app.get(ClientsService).change(clientId, { disabled: true }, BY_OPERATOR);
    alone.clock.advance(10);
    expect(await listed()).toBe(false);
    await alone.close();
  });
});
