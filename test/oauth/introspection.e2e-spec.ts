import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { claimsOf, headerOf, malleated, signed, storedKey } from '../support/forge.js';
import {
  addClient,
  addClientNamed,
  base64,
  basic,
  BY_OPERATOR,
  clientToken,
  expectRefusal,
  refresh,
  secretPost,
  stayLoggedIn,
  submit,
  submitForText,
  type FormAnswer,
  type TestClient,
} from '../support/oauth.js';
import { takeAway } from '../support/outage.js';
import { PASSWORD, post, request, startTestApp, type TestApp } from '../support/test-app.js';
import { forged, genuine, unpack } from '../support/token-smith.js';
import { send } from '../support/wire.js';

const INACTIVE = '{"active":false}';
const OVEN_API = 'https://oven.example';

let keks: TestApp;
/** Gets tokens for itself. */
let baker: TestClient;
/** The Cookie Factory itself: tokens for AUDIENCE are meant for it. */
let factory: TestClient;
/** Another API. */
let oven: TestClient;
/** Neither of them. */
let stranger: TestClient;

const ask = (
  token: string,
  as: TestClient = baker,
  parameters: Record<string, string> = {},
): Promise<FormAnswer> => submitForText(keks.url, '/oauth/introspect', { token, ...parameters }, basic(as));
const digest = (token: string): Buffer => createHash('sha256').update(token).digest();
const current = () => keks.app.get(TokenKeys).current;

async function described(token: string, as: TestClient = baker): Promise<Record<string, unknown>> {
  const { status, body } = await ask(token, as);
  expect([status, (body as { active: unknown }).active]).toEqual([200, true]);
  return body as Record<string, unknown>;
}

async function expectInactive(token: string, as: TestClient = baker): Promise<void> {
  const { status, text } = await ask(token, as);
  expect([status, text]).toEqual([200, INACTIVE]);
}

async function apiKey(name: string, scope?: string): Promise<string> {
  const answer = await send(keks.url, 'POST', '/keys', await keks.login(name), {
    label: 'night baker',
    password: PASSWORD,
    scope,
  });
  expect(answer.status).toBe(201);
  return (answer.body as { key: string }).key;
}

async function idOf(name: string): Promise<string> {
  const { rows } = await keks.database.client.query('SELECT id FROM users WHERE name = $1', [name]);
  return rows[0].id;
}

const own = async (): Promise<string> => (await clientToken(keks, baker)).access_token;

const inGrantOf = (token: string, change: string): Promise<unknown> =>
  keks.database.client.query(
    `UPDATE grants SET ${change} WHERE id = (SELECT grant_id FROM access_tokens WHERE digest = $1)`,
    [digest(token)],
  );

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Ann', 'cookies:eat cookies:bake');
  baker = await addClient(keks, { resources: [OVEN_API] });
  stranger = await addClient(keks, { resources: ['urn:other'] });
  factory = await addClient(keks, { scope: [], audience: ['urn:other', keks.config.AUDIENCE] });
  oven = await addClient(keks, { scope: [], audience: [OVEN_API] });
});

afterAll(() => keks.close());

describe('POST /oauth/introspect (RFC 7662)', () => {
  describe('200 {"active":true}', () => {
    it("of a client's own token: all of it, and nothing that does not apply", async () => {
      const before = keks.clock.seconds();
      const { access_token: token } = await clientToken(keks, baker, { scope: 'cookies:bake cookies:eat' });
      const answer = await ask(token);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body).toEqual({
        active: true,
        scope: 'cookies:bake cookies:eat',
        client_id: baker.clientId,
        token_type: 'Bearer',
        exp: unpack(token).expiresAt,
        iat: expect.any(Number),
        sub: baker.clientId,
        aud: keks.config.AUDIENCE,
        iss: keks.config.ISSUER,
        jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      const { iat } = answer.body as { iat: number };
      expect(iat).toBeGreaterThanOrEqual(before);
      // the end is reckoned before the statement is sent, and the database writes when it came
      expect(iat).toBeLessThanOrEqual(keks.clock.seconds());
      expect(unpack(token).expiresAt).toBeGreaterThanOrEqual(before + 3_600);
    });

    it('of a login, for the API that it is meant for: sub is the id, username the name, client_id keks', async () => {
      const token = await keks.login('Ann', 'cookies:eat');
      expect(await described(token, factory)).toEqual({
        active: true,
        scope: 'cookies:eat',
        client_id: 'keks',
        username: 'Ann',
        token_type: 'Bearer',
        exp: unpack(token).expiresAt,
        iat: expect.any(Number),
        sub: await idOf('Ann'),
        aud: keks.config.AUDIENCE,
        iss: keks.config.ISSUER,
        jti: expect.any(String),
      });
    });

    it('of an API key, for the API that it is meant for', async () => {
      const key = await apiKey('Ann', 'cookies:bake');
      expect(await described(key, factory)).toMatchObject({
        scope: 'cookies:bake',
        client_id: 'keks',
        username: 'Ann',
        token_type: 'Bearer',
        exp: unpack(key).expiresAt,
        sub: await idOf('Ann'),
        aud: keks.config.AUDIENCE,
      });
    });

    it('of a JWT: what stands in it, under its own jti', async () => {
      const signer = await addClient(keks, { tokenFormat: 'jwt', resources: [OVEN_API] });
      const { access_token: token } = await clientToken(keks, signer, { resource: OVEN_API });
      const { iss, sub, aud, client_id, scope, iat, exp, jti } = claimsOf(token);
      const expected = { active: true, iss, sub, aud, client_id, scope, iat, exp, jti, token_type: 'Bearer' };
      expect(await described(token, signer)).toEqual(expected);
      expect(await described(token, oven)).toEqual(expected);
    });

    it('active is a boolean, exp and iat are integers, scope and aud one string', async () => {
      const tokens = [
        (await clientToken(keks, await addClient(keks, { scope: [] }), {})).access_token,
        (await clientToken(keks, baker)).access_token,
        await keks.login('Ann'),
        await apiKey('Ann'),
      ];
      for (const token of tokens) {
        const { text } = await ask(token, factory);
        expect(text).toMatch(/"active":true[,}]/);
        expect(text).toMatch(/"exp":[1-9]\d{9}[,}]/);
        expect(text).toMatch(/"iat":[1-9]\d{9}[,}]/);
        expect(text).toMatch(/"scope":"[^"]*"[,}]/);
        expect(text).toMatch(/"aud":"[^"]+"[,}]/);
      }
    });

    it('gives each token another jti, and the same one each time', async () => {
      const [one, two] = [await keks.login('Ann'), await keks.login('Ann')];
      const { jti } = await described(one, factory);
      expect((await described(one, factory))['jti']).toBe(jti);
      expect((await described(two, factory))['jti']).not.toBe(jti);
    });
  });

  describe('who may see what', () => {
    it('its own tokens, whoever they are meant for', async () => {
      const { access_token: token } = await clientToken(keks, baker, { resource: OVEN_API });
      expect((await described(token))['aud']).toBe(OVEN_API);
    });

    it('those that are meant for it, whoever they were issued to, and under any of its audiences', async () => {
      const { access_token: forOven } = await clientToken(keks, baker, { resource: OVEN_API });
      const { access_token: forOther } = await clientToken(keks, stranger, { resource: 'urn:other' });
      const { access_token: forFactory } = await clientToken(keks, stranger);
      expect(await described(forOven, oven)).toMatchObject({
        client_id: baker.clientId,
        sub: baker.clientId,
      });
      expect(await described(forOther, factory)).toMatchObject({
        client_id: stranger.clientId,
        aud: 'urn:other',
      });
      expect(await described(forFactory, factory)).toMatchObject({ client_id: stranger.clientId });
    });

    it('all else is exactly {"active":false}', async () => {
      const { access_token: bakers } = await clientToken(keks, baker);
      const { access_token: forOven } = await clientToken(keks, baker, { resource: OVEN_API });
      const login = await stayLoggedIn(keks, 'Ann');
      const key = await apiKey('Ann');
      await expectInactive(bakers, stranger);
      await expectInactive(bakers, oven);
      await expectInactive(forOven, stranger);
      await expectInactive(forOven, factory);
      for (const caller of [baker, stranger, oven]) {
        await expectInactive(login.token, caller);
        await expectInactive(key, caller);
      }
    });

    it('a refresh token is for no API: only for the client that it was issued to', async () => {
      const { refresh_token: token } = await stayLoggedIn(keks, 'Ann');
      for (const caller of [baker, stranger, oven, factory]) await expectInactive(token, caller);
      const firstParty = await addClientNamed(keks, 'keks');
      const { sub, username, exp, ...rest } = await described(token, firstParty);
      expect([sub, username, exp]).toEqual([await idOf('Ann'), 'Ann', unpack(token).expiresAt]);
      expect(rest).not.toHaveProperty('token_type');
      await refresh(keks, token);
      await expectInactive(token, firstParty);
      await keks.database.client.query(`DELETE FROM client_secrets WHERE client_id = 'keks'`);
    });
  });

  describe('200 {"active":false}, to the letter', () => {
    const dead: [string, () => Promise<string> | string][] = [
      ['garbage', () => 'x'],
      ['a space', () => ' '],
      ['50,000 characters', () => 'x'.repeat(50_000)],
      ['SQL', () => `' OR 1=1 --`],
      ['garbage in the form of a JWT', () => 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
      ['one that nobody was given', () => genuine('kat_', keks.clock.seconds() + 60, current())],
      ['one that has expired', () => genuine('kat_', keks.clock.seconds(), current())],
      ["the caller's own secret", () => baker.clientSecret],
      ["the caller's id", () => baker.clientId],
      ['a living one with a space', async () => `${await own()} `],
      ['a living one in another case', async () => (await own()).toUpperCase()],
      ['a living one under another prefix', async () => `krt_${(await own()).slice(4)}`],
      ['a living one with a forged MAC', async () => forged(await own(), { mac: Buffer.alloc(8) })],
      [
        'a living one with a forged expiry',
        async () => {
          const token = await own();
          return forged(token, { expiresAt: unpack(token).expiresAt + 60 });
        },
      ],
      [
        'one that was revoked',
        async () => {
          const token = await own();
          await submit(keks.url, '/oauth/revoke', { token }, basic(baker));
          return token;
        },
      ],
      [
        'one whose grant was revoked',
        async () => {
          const token = await own();
          await inGrantOf(token, 'revoked_at = now()');
          return token;
        },
      ],
    ];

    it.each(dead)('%s', async (_, make) => expectInactive(await make()));

    it('on and after exp, without leeway', async () => {
      const token = await own();
      const { exp } = (await described(token)) as { exp: number };
      await keks.clock.during(async () => {
        keks.clock.goTo(exp - 30);
        await described(token);
        keks.clock.goTo(exp);
        await expectInactive(token);
      });
    });

    it('of a login that has ended, though the token has not', async () => {
      const token = await keks.login('Ann');
      await described(token, factory);
      await inGrantOf(token, `expires_at = now() - interval '1 s'`);
      await expectInactive(token, factory);
    });

    it('of a user who is disabled: access token and API key', async () => {
      await keks.addUser('Ben');
      const [token, key] = [await keks.login('Ben'), await apiKey('Ben')];
      await described(token, factory);
      await described(key, factory);
      await keks.app.get(UsersService).setDisabled('Ben', true, OPERATOR);
      await expectInactive(token, factory);
      await expectInactive(key, factory);
    });

    it('of a client that is disabled, for the API that the token was meant for', async () => {
      const client = await addClient(keks);
      const { access_token: token } = await clientToken(keks, client);
      await described(token, factory);
      await keks.app.get(ClientsService).change(client.clientId, { disabled: true }, BY_OPERATOR);
      await expectInactive(token, factory);
    });

    it('of an API key that was revoked', async () => {
      const key = await apiKey('Ann');
      await post(keks.url, '/revoke', { token: key });
      await expectInactive(key, factory);
    });

    it('of a JWT that was revoked, however it is spelled', async () => {
      const signer = await addClient(keks, { tokenFormat: 'jwt' });
      const { access_token: token } = await clientToken(keks, signer);
      await described(token, signer);
      await submit(keks.url, '/oauth/revoke', { token }, basic(signer));
      for (const spelling of [token, malleated(token)]) await expectInactive(spelling, signer);
    });

    it('of a forged JWT with a living jti: it is verified whole first', async () => {
      const signer = await addClient(keks, { tokenFormat: 'jwt' });
      const { access_token: token } = await clientToken(keks, signer);
      const { kid, privateKey } = await storedKey(keks.database, keks.app);
      const [header, claims] = [headerOf(token), claimsOf(token)];
      expect(header['kid']).toBe(kid);
      const [h = '', c = '', s = ''] = token.split('.');
      const edited = Buffer.from(JSON.stringify({ ...claims, scope: 'keks:admin' })).toString('base64url');
      const forgeries = [
        `${h}.${edited}.${s}`,
        `${h}.${c}.`,
        signed({ ...header, alg: 'none' }, claims, privateKey),
        signed({ ...header, typ: 'JWT' }, claims, privateKey),
        signed({ ...header, kid: 'x' }, claims, privateKey),
        signed(header, { ...claims, iss: 'https://evil.example' }, privateKey),
        signed(header, { ...claims, exp: keks.clock.seconds() }, privateKey),
        signed(header, { ...claims, exp: Number(claims['exp']) + 60 }, privateKey),
      ];
      for (const forgery of forgeries) await expectInactive(forgery, signer);
      await described(signed(header, claims, privateKey), signer);
    });
  });

  describe('token_type_hint changes nothing (RFC 7662 §2.1)', () => {
    it.each(['access_token', 'refresh_token', 'api_key', 'unknown', '💥'])('%s', async (token_type_hint) => {
      const { access_token: own } = await clientToken(keks, baker);
      const { refresh_token, token: login } = await stayLoggedIn(keks, 'Ann');
      for (const [token, caller] of [
        [own, baker],
        [own, stranger],
        [login, factory],
        [refresh_token, factory],
        ['x', baker],
      ] as [string, TestClient][]) {
        const plain = await ask(token, caller);
        const hinted = await ask(token, caller, { token_type_hint });
        expect([hinted.status, hinted.text]).toEqual([200, plain.text]);
      }
    });
  });

  describe('401 invalid_client', () => {
    it.each([
      ['nobody', {}, () => ({})],
      ['a wrong secret', {}, () => ({ authorization: `Basic ${base64(`${baker.clientId}:x`)}` })],
      ['an unknown client', { client_id: 'c-x', client_secret: 'x' }, () => ({})],
      ['the first-party client, which is public', { client_id: 'keks' }, () => ({})],
    ] as [string, Record<string, string>, () => Record<string, string>][])(
      'for %s, before the token is looked at',
      async (_, parameters, headers) => {
        const { access_token: living } = await clientToken(keks, baker);
        for (const token of [living, 'x', ''])
          expectRefusal(
            await submit(keks.url, '/oauth/introspect', { token, ...parameters }, headers()),
            401,
            'invalid_client',
          );
        expectRefusal(
          await submit(keks.url, '/oauth/introspect', parameters, headers()),
          401,
          'invalid_client',
        );
      },
    );

    it('for the bearer of the token itself (RFC 7662 §4: no oracle)', async () => {
      const token = await keks.login('Ann');
      const headers = { authorization: `Bearer ${token}` };
      expectRefusal(await submit(keks.url, '/oauth/introspect', { token }, headers), 401, 'invalid_client');
    });

    it('for a secret that was retired, the same whatever the token is: it is looked at meanwhile, and not told', async () => {
      const former = await addClient(keks);
      const clients = keks.app.get(ClientsService);
      await clients.addSecret(former.clientId, BY_OPERATOR);
      expect(await clients.retireSecrets(former.clientId, 'old', BY_OPERATOR)).toBe(1);
      const [living, dead] = [await own(), genuine('kat_', keks.clock.seconds() + 60, current())];
      const answers = await Promise.all([living, dead, 'x'].map((token) => ask(token, former)));
      for (const { status, text } of answers) expect([status, text]).toEqual([401, answers[0]?.text]);
      expect(answers[0]?.text).toContain('invalid_client');
    });

    it('for a client that was disabled', async () => {
      const client = await addClient(keks);
      await keks.app.get(ClientsService).change(client.clientId, { disabled: true }, BY_OPERATOR);
      expectRefusal(await ask('x', client), 401, 'invalid_client');
    });
  });

  it('takes client_secret_post as well', async () => {
    const { access_token: token } = await clientToken(keks, baker);
    const answer = await submit(keks.url, '/oauth/introspect', { token, ...secretPost(baker) });
    expect(answer.body).toMatchObject({ active: true });
  });

  it('tells many that ask at once apart, also where they show the same secret', async () => {
    const { access_token: token } = await clientToken(keks, baker);
    const mixed = { ...stranger, clientSecret: baker.clientSecret };
    const asked = Array.from({ length: 60 }, (_, n) => [baker, stranger, mixed][n % 3] ?? baker);
    const answers = await Promise.all(asked.map((as) => ask(token, as)));
    expect(answers.map(({ status, body }) => [status, (body as { active?: boolean }).active])).toEqual(
      asked.map((as) => (as === mixed ? [401, undefined] : [200, as === baker])),
    );
  });

  describe('400 invalid_request', () => {
    it('without a token, and with an empty one', async () => {
      for (const parameters of [{}, { token: '' }, { token_type_hint: 'access_token' }])
        expectRefusal(
          await submit(keks.url, '/oauth/introspect', parameters as {}, basic(baker)),
          400,
          'invalid_request',
        );
    });

    it('for a parameter twice', async () => {
      const { access_token: token } = await clientToken(keks, baker);
      for (const name of ['token', 'token_type_hint']) {
        const twice: [string, string][] = [
          ['token', token],
          [name, token],
          ['token_type_hint', 'x'],
        ];
        expectRefusal(
          await submit(keks.url, '/oauth/introspect', twice, basic(baker)),
          400,
          'invalid_request',
        );
      }
    });

    it('for a token in the URL', async () => {
      const { access_token: token } = await clientToken(keks, baker);
      const path = `/oauth/introspect?token=${token}`;
      expectRefusal(await submit(keks.url, path, {}, basic(baker)), 400, 'invalid_request');
    });
  });

  it('415 for JSON, 405 for GET', async () => {
    expectRefusal(
      await post(keks.url, '/oauth/introspect', { token: 'x' }, basic(baker)),
      415,
      'unsupported_media_type',
    );
    const answer = await request(keks.url, '/oauth/introspect', { headers: basic(baker) });
    expectRefusal(answer, 405, 'method_not_allowed');
  });

  it('503 with Retry-After while the database is away, never {"active":false}', async () => {
    const { access_token: token } = await clientToken(keks, baker);
    const outage = await takeAway(keks.database);
    try {
      const answer = await ask(token);
      expectRefusal(answer, 503, 'temporarily_unavailable');
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    } finally {
      await outage.end();
    }
    await described(token);
  });
});
