import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { claimsOf, headerOf, malleated, signed, storedKey } from '../support/forge.js';
import {
  addClient,
  addClientNamed,
  base64,
  basic,
  clientToken,
  expectRefusal,
  isAlive,
  issued,
  refresh,
  secretPost,
  stayLoggedIn,
  submit,
  submitForText,
  type FormAnswer,
  type TestClient,
} from '../support/oauth.js';
import { cancelled } from '../support/locks.js';
import { takeAway } from '../support/outage.js';
import { get, PASSWORD, post, request, startTestApp, type TestApp } from '../support/test-app.js';
import { forged, genuine } from '../support/token-smith.js';
import { send, tally } from '../support/wire.js';

let keks: TestApp;
let baker: TestClient;
let signer: TestClient;
let stranger: TestClient;
/** An API: tokens for AUDIENCE are meant for it. */
let factory: TestClient;
/** Whom logins belong to; made for these tests only, because nobody can have its secret. */
let firstParty: TestClient;

const revoke = (
  token: string,
  as: TestClient = baker,
  parameters: Record<string, string> = {},
): Promise<FormAnswer> => submitForText(keks.url, '/oauth/revoke', { token, ...parameters }, basic(as));
const own = async (as = baker): Promise<string> => (await clientToken(keks, as)).access_token;
const genuineOne = (prefix: string, seconds = 60): string =>
  genuine(prefix, keks.clock.seconds() + seconds, keks.app.get(TokenKeys).current);

async function expectRevoked(token: string, as: TestClient = baker): Promise<void> {
  const { status, text } = await revoke(token, as);
  expect([status, text]).toEqual([200, '{}']);
}

async function apiKey(): Promise<string> {
  const answer = await send(keks.url, 'POST', '/keys', await keks.login('Ann'), {
    label: 'night baker',
    password: PASSWORD,
  });
  return (answer.body as { key: string }).key;
}

async function eventsOf(token: string): Promise<object[]> {
  const { rows } = await keks.database.client.query(
    `SELECT e.type, e.actor, e.ip, e.request_id FROM audit_events e JOIN access_tokens t ON t.id = e.token_id
      WHERE t.digest = $1 AND e.type LIKE '%revoked'`,
    [createHash('sha256').update(token).digest()],
  );
  return rows;
}

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Ann');
  baker = await addClient(keks);
  signer = await addClient(keks, { tokenFormat: 'jwt' });
  stranger = await addClient(keks);
  factory = await addClient(keks, { audience: [keks.config.AUDIENCE] });
  firstParty = await addClientNamed(keks, 'keks');
});

afterAll(() => keks.close());

describe('POST /oauth/revoke (RFC 7009)', () => {
  describe('200 {}', () => {
    it('its own access token is dead at once, everywhere that it is asked about', async () => {
      const token = await own();
      expect((await get(keks.url, '/cookies', token)).status).toBe(200);
      const answer = await revoke(token);
      expect([answer.status, answer.text]).toEqual([200, '{}']);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect((await get(keks.url, '/cookies', token)).status).toBe(401);
      expect((await post(keks.url, '/validate', { token })).status).toBe(401);
      const seen = await submit(keks.url, '/oauth/introspect', { token }, basic(baker));
      expect(seen.body).toEqual({ active: false });
    });

    it('and it is written down who did it, once', async () => {
      const token = await own();
      const { headers } = await revoke(token);
      await revoke(token);
      expect(await eventsOf(token)).toEqual([
        {
          type: 'token.revoked',
          actor: `client:${baker.clientId}`,
          ip: '127.0.0.1',
          request_id: headers.get('x-request-id'),
        },
      ]);
    });

    it('no other token of its grant', async () => {
      const [one, two] = [await own(), await own()];
      await expectRevoked(one);
      expect([await isAlive(keks, one), await isAlive(keks, two)]).toEqual([false, true]);
    });

    it('its own JWT, through any spelling of it', async () => {
      for (const spell of [(token: string) => token, malleated]) {
        const token = await own(signer);
        await expectRevoked(spell(token), signer);
        expect([await isAlive(keks, token), await isAlive(keks, malleated(token))]).toEqual([false, false]);
      }
    });

    it('again and again, and fifty at once', async () => {
      const token = await own();
      const answers = await Promise.all(Array.from({ length: 50 }, () => revoke(token)));
      expect(tally(answers)).toEqual({ 200: 50 });
      await expectRevoked(token);
      expect(await eventsOf(token)).toHaveLength(1);
    });

    it('a refresh token takes its whole grant along (RFC 7009 §2.1)', async () => {
      const login = await stayLoggedIn(keks, 'Ann');
      const other = await stayLoggedIn(keks, 'Ann');
      const next = issued(await refresh(keks, login.refresh_token));
      await expectRevoked(next.refresh_token ?? '', firstParty);
      for (const token of [login.token, next.access_token]) expect(await isAlive(keks, token)).toBe(false);
      expectRefusal(await refresh(keks, next.refresh_token ?? ''), 400, 'invalid_grant');
      expectRefusal(await refresh(keks, login.refresh_token), 400, 'invalid_grant');
      expect(await isAlive(keks, other.token)).toBe(true);
    });

    it('so does one that was used already', async () => {
      const login = await stayLoggedIn(keks, 'Ann');
      const next = issued(await refresh(keks, login.refresh_token));
      await expectRevoked(login.refresh_token, firstParty);
      expect(await isAlive(keks, next.access_token)).toBe(false);
    });

    it('an access token leaves its refresh token alive', async () => {
      const login = await stayLoggedIn(keks, 'Ann');
      await expectRevoked(login.token, firstParty);
      expect(await isAlive(keks, login.token)).toBe(false);
      expect((await refresh(keks, login.refresh_token)).status).toBe(200);
    });

    const nothing: [string, () => Promise<string> | string][] = [
      ['garbage', () => 'x'],
      ['50,000 characters', () => 'x'.repeat(50_000)],
      ['garbage in the form of a JWT', () => 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
      ['an access token that nobody was given', () => genuineOne('kat_')],
      ['a refresh token that nobody was given', () => genuineOne('krt_')],
      ['an API key that nobody was given', () => genuineOne('kak_')],
      ['one that has expired', () => genuineOne('kat_', -1)],
      [
        'a living one of another client with a forged MAC',
        async () => forged(await own(stranger), { mac: Buffer.alloc(8) }),
      ],
      ['a truncated one', async () => (await own()).slice(0, -1)],
    ];
    it.each(nothing)('for what is no token: %s (RFC 7009 §2.2)', async (_, make) => {
      await expectRevoked(await make());
    });

    it('and nothing dies of a forged JWT with a living jti', async () => {
      const token = await own(signer);
      const { privateKey } = await storedKey(keks.database, keks.app);
      const [header, claims] = [headerOf(token), claimsOf(token)];
      const [h = '', c = '', s = ''] = token.split('.');
      const edited = Buffer.from(JSON.stringify({ ...claims, scope: 'x' })).toString('base64url');
      await expectRevoked(`${h}.${edited}.${s}`, signer);
      await expectRevoked(`${h}.${c}.`, signer);
      await expectRevoked(signed({ ...header, alg: 'none' }, claims, privateKey), signer);
      await expectRevoked(signed(header, { ...claims, iss: 'https://evil.example' }, privateKey), signer);
      expect(await isAlive(keks, token)).toBe(true);
    });
  });

  describe('400 unauthorized_client, and the token unharmed', () => {
    const foreign: [string, () => Promise<string>][] = [
      ['the access token of another client', () => own(stranger)],
      ['the JWT of another client', () => own(signer)],
      ['the access token of a person', () => keks.login('Ann')],
      ['the API key of a person', () => apiKey()],
    ];
    it.each(foreign)('%s', async (_, make) => {
      const token = await make();
      expectRefusal(await revoke(token), 400, 'unauthorized_client');
      expect(await isAlive(keks, token)).toBe(true);
    });

    it('the refresh token of a person', async () => {
      const login = await stayLoggedIn(keks, 'Ann');
      for (const client of [baker, factory])
        expectRefusal(await revoke(login.refresh_token, client), 400, 'unauthorized_client');
      expect(await isAlive(keks, login.token)).toBe(true);
      expect((await refresh(keks, login.refresh_token)).status).toBe(200);
    });

    it('a token that is meant for the caller, but was issued to another', async () => {
      const token = await own();
      expectRefusal(await revoke(token, factory), 400, 'unauthorized_client');
      expect(await isAlive(keks, token)).toBe(true);
    });

    it('one that was revoked already as well', async () => {
      const token = await own();
      await expectRevoked(token);
      expectRefusal(await revoke(token, stranger), 400, 'unauthorized_client');
    });
  });

  describe("400 unsupported_token_type for a client's secret, which goes on working", () => {
    it("one's own and another's", async () => {
      for (const { clientSecret } of [baker, stranger])
        expectRefusal(await revoke(clientSecret), 400, 'unsupported_token_type');
      expect((await clientToken(keks, baker)).token_type).toBe('Bearer');
      expect((await clientToken(keks, stranger)).token_type).toBe('Bearer');
    });
  });

  describe('token_type_hint changes nothing (RFC 7009 §2.1)', () => {
    it.each(['access_token', 'refresh_token', 'api_key', 'unknown', '💥'])('%s', async (token_type_hint) => {
      const [token, foreign] = [await own(), await own(stranger)];
      const login = await stayLoggedIn(keks, 'Ann');
      expect((await revoke(token, baker, { token_type_hint })).text).toBe('{}');
      expect(await isAlive(keks, token)).toBe(false);
      expectRefusal(await revoke(foreign, baker, { token_type_hint }), 400, 'unauthorized_client');
      expect(await isAlive(keks, foreign)).toBe(true);
      expect((await revoke(login.refresh_token, firstParty, { token_type_hint })).text).toBe('{}');
      expect(await isAlive(keks, login.token)).toBe(false);
      expect((await revoke('x', baker, { token_type_hint })).text).toBe('{}');
    });
  });

  describe('401 invalid_client, before the token is looked at', () => {
    it.each([
      ['nobody', {}, () => ({})],
      ['a wrong secret', {}, () => ({ authorization: `Basic ${base64(`${baker.clientId}:x`)}` })],
      ['an unknown client', { client_id: 'c-x', client_secret: 'x' }, () => ({})],
      ['the bearer of the token', {}, (token: string) => ({ authorization: `Bearer ${token}` })],
    ] as [string, Record<string, string>, (token: string) => Record<string, string>][])(
      'for %s',
      async (_, parameters, headers) => {
        const living = await own();
        for (const form of [{ token: living }, { token: 'x' }, { token: '' }, {}] as Record<string, string>[])
          expectRefusal(
            await submit(keks.url, '/oauth/revoke', { ...form, ...parameters }, headers(living)),
            401,
            'invalid_client',
          );
        expect(await isAlive(keks, living)).toBe(true);
      },
    );
  });

  it('takes client_secret_post as well', async () => {
    const token = await own();
    expect((await submit(keks.url, '/oauth/revoke', { token, ...secretPost(baker) })).status).toBe(200);
    expect(await isAlive(keks, token)).toBe(false);
  });

  describe('400 invalid_request', () => {
    it('without a token, and with an empty one', async () => {
      for (const parameters of [{}, { token: '' }, { token_type_hint: 'access_token' }] as Record<
        string,
        string
      >[])
        expectRefusal(
          await submit(keks.url, '/oauth/revoke', parameters, basic(baker)),
          400,
          'invalid_request',
        );
    });

    it('for a parameter twice, and for a token in the URL; the token lives', async () => {
      const token = await own();
      const twice: [string, string][] = [
        ['token', token],
        ['token', token],
      ];
      expectRefusal(await submit(keks.url, '/oauth/revoke', twice, basic(baker)), 400, 'invalid_request');
      const path = `/oauth/revoke?token=${token}`;
      expectRefusal(await submit(keks.url, path, {}, basic(baker)), 400, 'invalid_request');
      expect(await isAlive(keks, token)).toBe(true);
    });
  });

  it('415 for JSON, 405 for GET', async () => {
    const answer = await post(keks.url, '/oauth/revoke', { token: 'x' }, basic(baker));
    expectRefusal(answer, 415, 'unsupported_media_type');
    expectRefusal(
      await request(keks.url, '/oauth/revoke', { headers: basic(baker) }),
      405,
      'method_not_allowed',
    );
  });

  it('503 with Retry-After while the database is away: it is not certain, and 200 says that it is', async () => {
    const token = await own();
    const outage = await takeAway(keks.database);
    try {
      const answer = await revoke(token);
      expectRefusal(answer, 503, 'temporarily_unavailable');
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    } finally {
      await outage.end();
    }
    expect(await isAlive(keks, token)).toBe(true);
    await expectRevoked(token);
    expect(await isAlive(keks, token)).toBe(false);
  });

  it('503 when it could be read and not be written, and the token is as it was', async () => {
    const token = await own();
    const { client } = keks.database;
    await client.query('BEGIN; LOCK TABLE access_tokens IN SHARE MODE');
    try {
      expectRefusal(await cancelled(keks.database, revoke(token)), 503, 'temporarily_unavailable');
    } finally {
      await client.query('ROLLBACK');
    }
    expect(await isAlive(keks, token)).toBe(true);
    await expectRevoked(token);
  });
});
