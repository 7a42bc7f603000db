import { createHash, createHmac, randomBytes } from 'node:crypto';
import passport from 'passport';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { derivedKey } from '../../src/auth/secrets/derived-key.js';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { LocalStrategy } from '../../src/auth/local.strategy.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import {
  addClient,
  base64,
  basic,
  expectRefusal,
  isAlive,
  issued,
  refresh,
  secretPost,
  stayLoggedIn,
  submit,
  type Issued,
  type Login,
  type TestClient,
} from '../support/oauth.js';
import { claimsOf } from '../support/forge.js';
import { cancelled } from '../support/locks.js';
import { takeAway } from '../support/outage.js';
import {
  get,
  PASSWORD,
  post,
  request,
  SECRET_KEY,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';
import { forged, genuine, unpack } from '../support/token-smith.js';

const DAY = 86_400;
const ALL = 'cookies:eat cookies:bake keks:account';

let keks: TestApp;
let oven: TestClient;
let shifted = 0;

/** Lets time pass, until the end of the test. */
function later(seconds: number): void {
  keks.clock.advance(seconds);
  shifted += seconds;
}

const login = (options: Parameters<typeof stayLoggedIn>[2] = {}): Promise<Login> =>
  stayLoggedIn(keks, 'Ann', options);
const refreshed = async (token: string, parameters: Record<string, string> = {}): Promise<Required<Issued>> =>
  issued(await refresh(keks, token, parameters)) as Required<Issued>;
const expectInvalidGrant = (answer: Answer): void => expectRefusal(answer, 400, 'invalid_grant');
const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

async function row(token: string): Promise<{ id: string; grant_id: string; used: boolean }> {
  const { rows } = await keks.database.client.query(
    'SELECT id, grant_id, used_at IS NOT NULL AS used FROM refresh_tokens WHERE digest = $1',
    [digest(token)],
  );
  return rows[0];
}

async function reasonOfEnd(grantId: string): Promise<string | null> {
  const { rows } = await keks.database.client.query('SELECT revoked_reason FROM grants WHERE id = $1', [
    grantId,
  ]);
  return rows[0].revoked_reason;
}

interface Family {
  readonly used: string;
  readonly living: string;
  readonly access: string[];
}

async function expectKilled({ used, living, access }: Family, thief: Answer): Promise<void> {
  expectInvalidGrant(thief);
  const { id, grant_id } = await row(used);
  expect(await reasonOfEnd(grant_id)).toBe('refresh_token_replayed');
  for (const token of access) expect(await isAlive(keks, token)).toBe(false);
  expectInvalidGrant(await refresh(keks, living));
  const { rows } = await keks.database.client.query(
    `SELECT grant_id, token_id, ip, request_id FROM audit_events WHERE type = 'refresh.replayed' AND grant_id = $1
      ORDER BY created_at LIMIT 1`,
    [grant_id],
  );
  const request_id = thief.headers.get('x-request-id');
  expect(rows).toEqual([{ grant_id, token_id: id, ip: '127.0.0.1', request_id }]);
}

async function family(): Promise<Family> {
  const first = await login();
  const second = await refreshed(first.refresh_token);
  return {
    used: first.refresh_token,
    living: second.refresh_token,
    access: [first.token, second.access_token],
  };
}

function fresh(): string {
  return genuine('krt_', keks.clock.seconds() + 60, keks.app.get(TokenKeys).current);
}

beforeAll(async () => {
  keks = await startTestApp();
  oven = await addClient(keks);
  await keks.addUser('Ann', 'cookies:eat cookies:bake');
});

afterEach(() => later(-shifted));
afterAll(() => keks.close());

describe('POST /issue with offline_access', () => {
  it('200: a refresh token beside the access token, for 30 days', async () => {
    const { refresh_token: token, ...answer } = await login();
    expect(token).toMatch(/^krt_[A-Za-z0-9_-]{48}[0-9A-Za-z]{6}$/);
    expect(answer).toEqual({
      token: expect.stringMatching(/^kat_/),
      token_type: 'Bearer',
      expires_in: 3_600,
      refresh_expires_in: 30 * DAY,
      scope: ALL,
    });
  });

  it('is a request and no permission: in no answer, no token and no list', async () => {
    const { token, scope } = await login({ scope: 'cookies:eat' });
    expect(scope).toBe('cookies:eat');
    const reader = await addClient(keks, { audience: [keks.config.AUDIENCE] });
    const { body } = await submit(keks.url, '/oauth/introspect', { token }, basic(reader));
    expect(body).toMatchObject({ active: true, scope: 'cookies:eat' });
  });

  it('in any place of the scope', async () => {
    const body = { user: 'Ann', password: PASSWORD, scope: 'cookies:bake offline_access cookies:eat' };
    const { body: answer } = await post(keks.url, '/issue', body);
    expect(answer).toMatchObject({ scope: 'cookies:bake cookies:eat', refresh_token: expect.any(String) });
  });

  it('is the only way to one', async () => {
    for (const scope of [undefined, 'cookies:eat', ALL]) {
      const { body } = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD, scope });
      expect(body).not.toHaveProperty('refresh_token');
      expect(body).not.toHaveProperty('refresh_expires_in');
    }
  });

  it('400 invalid_scope beside what the user does not have', async () => {
    const body = { user: 'Ann', password: PASSWORD, scope: 'cookies:steal offline_access' };
    expect(await post(keks.url, '/issue', body)).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    });
  });
});

describe('POST /oauth/token, grant_type=refresh_token (RFC 6749 §6)', () => {
  describe('200', () => {
    it('a living access token, and the next refresh token (RFC 9700 §4.14.2: rotation)', async () => {
      const first = await login();
      const answer = await refresh(keks, first.refresh_token);
      expect(answer.body).toEqual({
        access_token: expect.stringMatching(/^kat_/),
        token_type: 'Bearer',
        expires_in: 3_600,
        scope: ALL,
        refresh_token: expect.stringMatching(/^krt_/),
        refresh_expires_in: 30 * DAY,
      });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('pragma')).toBe('no-cache');
      const { access_token: access, refresh_token: next } = issued(answer);
      expect(next).not.toBe(first.refresh_token);
      expect((await get(keks.url, '/cookies', access)).status).toBe(200);
    });

    it('again and again, one after the other, in one grant', async () => {
      let { refresh_token: token } = await login();
      const { grant_id: grant } = await row(token);
      for (let time = 0; time < 5; time += 1) {
        later(60);
        token = (await refreshed(token)).refresh_token;
        expect((await row(token)).grant_id).toBe(grant);
      }
      expect(await reasonOfEnd(grant)).toBeNull();
    });

    it('leaves the access tokens that were issued before alive', async () => {
      const { token, refresh_token } = await login();
      await refreshed(refresh_token);
      expect(await isAlive(keks, token)).toBe(true);
    });

    it('keeps the format: opaque', async () => {
      const first = await refreshed((await login()).refresh_token);
      expect((await refreshed(first.refresh_token)).access_token).toMatch(/^kat_/);
    });

    it('keeps the format: jwt, for the answer that is given again as well', async () => {
      const first = await login({ format: 'jwt' });
      expect(first.token.split('.')).toHaveLength(3);
      const second = await refreshed(first.refresh_token);
      const again = await refreshed(first.refresh_token);
      const third = await refreshed(second.refresh_token);
      for (const { access_token: token } of [second, again, third]) {
        expect(token.split('.')).toHaveLength(3);
        expect((await get(keks.url, '/cookies', token)).status).toBe(200);
      }
    });

    it('is written down: who refreshed, from where, in which request', async () => {
      const { refresh_token: token } = await login();
      const { headers } = await refresh(keks, token);
      const { id, grant_id } = await row(token);
      const { rows } = await keks.database.client.query(
        `SELECT type, ip, grant_id, request_id, detail->>'refresh_token_id' AS id
           FROM audit_events WHERE grant_id = $1 AND type LIKE '%refresh%'`,
        [grant_id],
      );
      const request_id = headers.get('x-request-id');
      expect(rows).toEqual([{ type: 'token.refreshed', ip: '127.0.0.1', grant_id, request_id, id }]);
    });
  });

  describe('scope', () => {
    it('can be less in an answer, and is whole again in the next: the successor keeps it', async () => {
      const { refresh_token: token } = await login();
      const narrow = await refreshed(token, { scope: 'cookies:bake' });
      expect(narrow.scope).toBe('cookies:bake');
      expect((await get(keks.url, '/cookies', narrow.access_token)).status).toBe(403);
      const narrower = await refreshed(narrow.refresh_token, { scope: 'keks:account' });
      const whole = await refreshed(narrower.refresh_token);
      expect([narrower.scope, whole.scope]).toEqual(['keks:account', ALL]);
    });

    it.each([
      [
        'all of it in another order',
        'keks:account cookies:bake cookies:eat',
        'keks:account cookies:bake cookies:eat',
      ],
      ['one twice', 'cookies:eat cookies:eat', 'cookies:eat'],
      ['empty, which is absent', '', ALL],
      ['offline_access alone', 'offline_access', ALL],
      ['offline_access beside others', 'offline_access cookies:eat', 'cookies:eat'],
    ])('%s', async (_, asked, scope) => {
      expect((await refreshed((await login()).refresh_token, { scope: asked })).scope).toBe(scope);
    });

    it.each([
      ['one that the user has and the login did not ask for', 'cookies:bake'],
      ['one more', 'cookies:eat cookies:bake'],
      ['the account', 'keks:account'],
      ['one that nobody has', 'cookies:steal'],
      ['malformed', 'cookies:eat  cookies:eat'],
      ['malformed: a quote', '"'],
      ['a space', ' '],
    ])('400 invalid_scope, and the token unharmed: %s', async (_, scope) => {
      const { refresh_token: token } = await login({ scope: 'cookies:eat' });
      expectRefusal(await refresh(keks, token, { scope }), 400, 'invalid_scope');
      expect((await refreshed(token)).scope).toBe('cookies:eat');
    });

    it('is never more than at the login, though the user has been given more since', async () => {
      await keks.addUser('Ben', 'cookies:eat');
      const { refresh_token: token } = await stayLoggedIn(keks, 'Ben');
      await keks.database.client.query(
        `UPDATE users SET scope = 'cookies:eat cookies:bake' WHERE name = 'Ben'`,
      );
      const { scope, refresh_token: next } = await refreshed(token);
      expect(scope).toBe('cookies:eat keks:account');
      expectRefusal(await refresh(keks, next, { scope: 'cookies:bake' }), 400, 'invalid_scope');
    });
  });

  describe('resource (RFC 8707): the one that the login was for', () => {
    it('200 when it is said again', async () => {
      const { refresh_token: token } = await login();
      expect((await refresh(keks, token, { resource: keks.config.AUDIENCE })).status).toBe(200);
    });

    it('400 invalid_target for another, registered or not, and the token unharmed', async () => {
      await addClient(keks, { audience: ['urn:oven'] });
      const { refresh_token: token } = await login();
      for (const resource of ['urn:oven', 'urn:nobody', 'x'])
        expectRefusal(await refresh(keks, token, { resource }), 400, 'invalid_target');
      await refreshed(token);
    });
  });

  describe('bound to its client, the first-party one, which is public', () => {
    it('200 for client_id=keks without a secret', async () => {
      const { refresh_token: token } = await login();
      const next = await refreshed(token, { client_id: 'keks' });
      await refreshed(next.refresh_token, { client_id: 'keks', client_secret: '' });
    });

    it('400 invalid_grant with any client, and the token unharmed', async () => {
      const { refresh_token: token } = await login();
      expectInvalidGrant(await refresh(keks, token, {}, basic(oven)));
      expectInvalidGrant(await refresh(keks, token, secretPost(oven)));
      expect((await row(token)).used).toBe(false);
      await refreshed(token);
    });

    it('and no client can end a login with a token that was used', async () => {
      const { refresh_token: token } = await login();
      const next = await refreshed(token);
      later(60);
      expectInvalidGrant(await refresh(keks, token, {}, basic(oven)));
      await refreshed(next.refresh_token);
    });

    it.each([
      ['an unknown client', { client_id: 'c-unknown', client_secret: 'x' }, {}],
      ['a client without its secret', { client_id: 'c-unknown' }, {}],
      ['the first-party client with a secret', { client_id: 'keks', client_secret: 'x' }, {}],
      ['the first-party client with Basic', {}, { authorization: `Basic ${base64('keks:x')}` }],
    ])('401 invalid_client for %s, and the token unharmed', async (_, parameters, headers) => {
      const { refresh_token: token } = await login();
      expectRefusal(await refresh(keks, token, parameters as {}, headers as {}), 401, 'invalid_client');
      await refreshed(token);
    });
  });

  describe('a used token within REFRESH_GRACE_PERIOD (10 s): the answer was lost', () => {
    it('200: the same successor, and another access token that lives', async () => {
      const { refresh_token: token } = await login();
      const first = await refreshed(token);
      later(5);
      const again = await refreshed(token);
      expect(again.refresh_token).toBe(first.refresh_token);
      expect(again.access_token).not.toBe(first.access_token);
      expect([await isAlive(keks, first.access_token), await isAlive(keks, again.access_token)]).toEqual([
        true,
        true,
      ]);
      expect(first.refresh_expires_in - again.refresh_expires_in).toBeGreaterThanOrEqual(5);
      const third = await refreshed(again.refresh_token);
      expect(third.refresh_token).not.toBe(again.refresh_token);
    });

    it('with the scope of the first answer', async () => {
      const { refresh_token: token } = await login();
      await refreshed(token, { scope: 'cookies:bake' });
      const again = await refreshed(token);
      expect(again.scope).toBe('cookies:bake');
      expect((await get(keks.url, '/cookies', again.access_token)).status).toBe(403);
      expect((await refreshed(again.refresh_token)).scope).toBe(ALL);
    });

    it('with that scope in the claims of a JWT too, which is believed without asking', async () => {
      const { refresh_token: token } = await login({ format: 'jwt' });
      const first = await refreshed(token, { scope: 'cookies:bake' });
      const again = await refreshed(token, { scope: 'cookies:eat' });
      expect([claimsOf(first.access_token)['scope'], claimsOf(again.access_token)['scope']]).toEqual([
        'cookies:bake',
        'cookies:bake',
      ]);
    });

    it('also if the version before, which drew the cell at random, answered first', async () => {
      const { refresh_token: token } = await login();
      const { refresh_token: now } = await refreshed(token);
      const drawn = createHmac('sha256', derivedKey(keks.config.SECRET_KEY, 'successor'))
        .update(token)
        .digest();
      const cell = drawn.readUInt8(0);
      const { current } = keks.app.get(TokenKeys);
      const before = genuine('krt_', unpack(now).expiresAt, current, drawn.subarray(1, 23), cell);
      await keks.database.client.query(
        `WITH used AS (
           UPDATE refresh_tokens SET successor = $2, scope = $4, audience = 'a', answered_scope = $4 WHERE digest = $3
         )
         UPDATE refresh_tokens SET digest = $2 WHERE digest = $1`,
        [digest(now), digest(before), digest(token), ALL],
      );
      expect((await refreshed(token)).refresh_token).toBe(before);
      const next = await refreshed(before);
      expect(unpack(next.refresh_token).cell).toBe(0);
    });

    it('for which little of the used token is kept: what it carried is in its successor', async () => {
      const { refresh_token: token } = await login();
      await refreshed(token);
      const { rows } = await keks.database.client.query(
        `SELECT scope, audience, answered_scope, length(successor) AS successor FROM refresh_tokens WHERE digest = $1`,
        [digest(token)],
      );
      expect(rows).toEqual([{ scope: '', audience: '', answered_scope: '', successor: 8 }]);
    });

    it('but not when the login has been revoked', async () => {
      const { refresh_token: token } = await login();
      const next = await refreshed(token);
      await post(keks.url, '/revoke', { token: next.refresh_token });
      expectInvalidGrant(await refresh(keks, token));
      expectInvalidGrant(await refresh(keks, next.refresh_token));
    });
  });

  describe('a used token presented again is a theft (RFC 9700 §4.14.2)', () => {
    it('after the grace period: the grant dies with all of its tokens, and the audit says who', async () => {
      const one = await family();
      later(10);
      await expectKilled(one, await refresh(keks, one.used));
    });

    it('within it, once the successor has been used', async () => {
      const one = await family();
      const next = await refreshed(one.living);
      await expectKilled(
        { used: one.used, living: next.refresh_token, access: [...one.access, next.access_token] },
        await refresh(keks, one.used),
      );
    });

    it.each([
      ['more scope', { scope: 'cookies:steal' }],
      ['a malformed scope', { scope: '"' }],
      ['another resource', { resource: 'urn:other' }],
    ] as [string, Record<string, string>][])('whatever else is asked: %s', async (_, parameters) => {
      const one = await family();
      later(60);
      await expectKilled(one, await refresh(keks, one.used, parameters));
    });

    it('of any generation', async () => {
      const one = await family();
      let living = one.living;
      for (let time = 0; time < 3; time += 1) living = (await refreshed(living)).refresh_token;
      later(60);
      await expectKilled({ ...one, living }, await refresh(keks, one.used));
    });

    it('ends that login and no other', async () => {
      const [one, other] = [await family(), await family()];
      later(60);
      await expectKilled(one, await refresh(keks, one.used));
      for (const token of other.access) expect(await isAlive(keks, token)).toBe(true);
      await refreshed(other.living);
    });
  });

  describe('400 invalid_grant', () => {
    const cases: [string, (login: Login) => Promise<string> | string][] = [
      ['garbage', () => 'x'],
      ['60,000 characters', () => 'x'.repeat(60_000)],
      ['garbage in the form of a JWT', () => 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
      ['an access token', ({ token }) => token],
      ['a client secret', () => oven.clientSecret],
      ['an API key', () => genuine('kak_', keks.clock.seconds() + 60, keks.app.get(TokenKeys).current)],
      ['a genuine one that nobody was given', () => fresh()],
      ['a forged MAC', ({ refresh_token: token }) => forged(token, { mac: Buffer.alloc(8) })],
      [
        'a forged expiry',
        ({ refresh_token: token }) => forged(token, { expiresAt: unpack(token).expiresAt + 60 }),
      ],
      ['another prefix', ({ refresh_token: token }) => `kat_${token.slice(4)}`],
      ['another case', ({ refresh_token: token }) => token.toUpperCase()],
      ['a space after it', ({ refresh_token: token }) => `${token} `],
      ['padding', ({ refresh_token: token }) => `${token}=`],
      ['one that has expired', () => genuine('krt_', keks.clock.seconds(), keks.app.get(TokenKeys).current)],
      [
        'one of a login that was revoked',
        async () => {
          const { refresh_token: token } = await login();
          await post(keks.url, '/revoke', { token });
          return token;
        },
      ],
    ];

    it.each(cases)('for %s, the same to the letter, and a login beside it unharmed', async (_, make) => {
      const one = await login();
      const answer = await refresh(keks, await make(one));
      expectInvalidGrant(answer);
      expect(answer.body).toEqual((await refresh(keks, 'x')).body);
      await refreshed(one.refresh_token);
      expect(await isAlive(keks, one.token)).toBe(true);
    });

    it('and revoking an access token leaves its refresh token alive', async () => {
      const { token, refresh_token } = await login();
      await post(keks.url, '/revoke', { token });
      expect(await isAlive(keks, token)).toBe(false);
      expect(await isAlive(keks, (await refreshed(refresh_token)).access_token)).toBe(true);
    });

    it('when its user is disabled; enabling gives nothing back', async () => {
      await keks.addUser('Carl');
      const { token, refresh_token } = await stayLoggedIn(keks, 'Carl');
      const users = keks.app.get(UsersService);
      await users.setDisabled('Carl', true, OPERATOR);
      expectInvalidGrant(await refresh(keks, refresh_token));
      await users.setDisabled('Carl', false, OPERATOR);
      expectInvalidGrant(await refresh(keks, refresh_token));
      expect(await isAlive(keks, token)).toBe(false);
    });

    it('when the password has changed', async () => {
      await keks.addUser('Dora');
      const { token, refresh_token } = await stayLoggedIn(keks, 'Dora');
      const changed = await keks.app
        .get(UsersService)
        .setPassword('Dora', 'eleven green gingerbreads above a red sun', false, OPERATOR);
      expect(changed).toHaveProperty('changed');
      expectInvalidGrant(await refresh(keks, refresh_token));
      expect(await isAlive(keks, token)).toBe(false);
    });
  });

  describe('time', () => {
    it('REFRESH_TOKEN_TTL: each successor lives 30 days, and not on or after its end', async () => {
      const { refresh_token: token, refresh_expires_in } = await login();
      later(refresh_expires_in - 60);
      const next = await refreshed(token);
      expect(next.refresh_expires_in).toBe(30 * DAY);
      later(30 * DAY);
      expectInvalidGrant(await refresh(keks, next.refresh_token));
    });

    it('SESSION_TTL: the login ends after 90 days, however often it was refreshed', async () => {
      let token = (await login()).refresh_token;
      const left: number[] = [];
      for (let time = 0; time < 4; time += 1) {
        later(20 * DAY);
        const answer = await refreshed(token);
        left.push(Math.round(answer.refresh_expires_in / DAY));
        token = answer.refresh_token;
      }
      expect(left).toEqual([30, 30, 30, 10]);
      later(10 * DAY - 120);
      const last = await refreshed(token);
      expect(last.refresh_expires_in).toBeLessThanOrEqual(120);
      expect(last.expires_in).toBeLessThanOrEqual(120);
      later(120);
      expectInvalidGrant(await refresh(keks, last.refresh_token));
      expect(await isAlive(keks, last.access_token)).toBe(false);
    });

    it('a JWT says itself that it does not outlive its login', async () => {
      const { refresh_token: first } = await login({ format: 'jwt' });
      later(29 * DAY);
      const { refresh_token: second } = await refreshed(first);
      later(29 * DAY);
      const { refresh_token: third } = await refreshed(second);
      later(29 * DAY);
      const { refresh_token: fourth } = await refreshed(third);
      later(3 * DAY - 60);
      const { access_token: token } = await refreshed(fourth);
      expect(Number(claimsOf(token)['exp']) - keks.clock.seconds()).toBeLessThanOrEqual(60);
    });
  });

  it('400 invalid_request without a refresh token', async () => {
    expectRefusal(
      await submit(keks.url, '/oauth/token', { grant_type: 'refresh_token' }),
      400,
      'invalid_request',
    );
  });

  it('503 while the database is away, and the token unharmed', async () => {
    const { refresh_token: token } = await login();
    const outage = await takeAway(keks.database);
    try {
      const answer = await refresh(keks, token);
      expectRefusal(answer, 503, 'temporarily_unavailable');
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    } finally {
      await outage.end();
    }
    await refreshed(token);
  });

  it('503 when it could be read and not be used, and the token unharmed', async () => {
    const { refresh_token: token } = await login();
    const { client } = keks.database;
    await client.query('BEGIN; LOCK TABLE refresh_tokens IN SHARE MODE');
    try {
      expectRefusal(await cancelled(keks.database, refresh(keks, token)), 503, 'temporarily_unavailable');
    } finally {
      await client.query('ROLLBACK');
    }
    await refreshed(token);
  });
});

describe('the cell, one byte of every opaque token (docs/decisions/0063)', () => {
  /** One of each kind, as they are given out over HTTP. */
  async function oneOfEach() {
    const { token: access, refresh_token: refreshToken } = await login();
    const { body } = await request(keks.url, '/keys', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${access}` },
      body: JSON.stringify({ label: 'night baker', password: PASSWORD }),
    });
    const { key } = body as { key: string };
    const { body: ofClient } = await submit(
      keks.url,
      '/oauth/token',
      { grant_type: 'client_credentials' },
      basic(oven),
    );
    const { access_token: clients } = ofClient as Issued;
    return { access, refreshToken, key, clients, secret: (await addClient(keks)).clientSecret };
  }

  it('is 0 in each that is made', async () => {
    const cells = Object.values(await oneOfEach()).map((token) => unpack(token).cell);
    expect(cells).toEqual([0, 0, 0, 0, 0]);
  });

  it('is whatever it is in those of the version before, and they go on as they were', async () => {
    const { current } = keks.app.get(TokenKeys);
    const drawnBefore = async (token: string, table: string): Promise<string> => {
      const { expiresAt, random } = unpack(token);
      const before = genuine(token.slice(0, 4), expiresAt, current, random, 0xa7);
      const { rowCount } = await keks.database.client.query(
        `UPDATE ${table} SET digest = $2 WHERE digest = $1`,
        [digest(token), digest(before)],
      );
      expect(rowCount).toBe(1);
      return before;
    };
    const { access, refreshToken, key, clients, secret } = await oneOfEach();
    expect(await isAlive(keks, await drawnBefore(access, 'access_tokens'))).toBe(true);
    expect(await isAlive(keks, await drawnBefore(clients, 'access_tokens'))).toBe(true);
    expect((await get(keks.url, '/cookies', await drawnBefore(key, 'api_keys'))).status).toBe(200);
    await refreshed(await drawnBefore(refreshToken, 'refresh_tokens'));
    const before = await drawnBefore(secret, 'client_secrets');
    const { rows } = await keks.database.client.query(
      'SELECT client_id FROM client_secrets WHERE digest = $1',
      [digest(before)],
    );
    const client = { clientId: rows[0].client_id, clientSecret: before };
    const answer = await submit(
      keks.url,
      '/oauth/token',
      { grant_type: 'client_credentials' },
      basic(client),
    );
    expect(answer.status).toBe(200);
  });
});

describe('another instance on the same database', () => {
  /** passport has one registry a process: logins are ours again once the other is gone. */
  async function another(settings: Record<string, string>): Promise<TestApp> {
    const { app, ...one } = await startTestApp(settings, { ...keks.database, close: async () => undefined });
    const close = async (): Promise<void> => {
      await app.close();
      passport.use('local', keks.app.get(LocalStrategy, { strict: false }));
    };
    return { app, ...one, close };
  }

  describe('with REFRESH_GRACE_PERIOD=0 and SESSION_TTL=60', () => {
    let strict: TestApp;

    beforeAll(async () => {
      strict = await another({ REFRESH_GRACE_PERIOD: '0', SESSION_TTL: '60' });
    });
    afterAll(() => strict.close());

    it('a used token is a theft at once', async () => {
      const { refresh_token: token } = await login();
      const { refresh_token: next } = issued(await refresh(strict, token));
      expectInvalidGrant(await refresh(strict, token));
      expectInvalidGrant(await refresh(strict, next ?? ''));
      expect(await reasonOfEnd((await row(token)).grant_id)).toBe('refresh_token_replayed');
    });

    it('even if it is used at the same moment', async () => {
      const { refresh_token: token } = await login();
      const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(strict, token)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) expectInvalidGrant(answer);
      expect(await reasonOfEnd((await row(token)).grant_id)).toBe('refresh_token_replayed');
    });

    it('and nothing outlives a login that is shorter than ACCESS_TOKEN_TTL and REFRESH_TOKEN_TTL', async () => {
      const { expires_in, refresh_expires_in, refresh_token: token } = await stayLoggedIn(strict, 'Ann');
      expect([expires_in, refresh_expires_in]).toEqual([60, 60]);
      const answer = issued(await refresh(strict, token));
      expect(answer.expires_in).toBeLessThanOrEqual(60);
      expect(answer.refresh_expires_in).toBeLessThanOrEqual(60);
    });
  });

  it('with a long REFRESH_GRACE_PERIOD: the lost answer as often as it is asked, and never two lineages', async () => {
    const patient = await another({ REFRESH_GRACE_PERIOD: '300' });
    try {
      const { refresh_token: token } = await login();
      const answers = await Promise.all(
        Array.from({ length: 50 }, async () => issued(await refresh(patient, token))),
      );
      expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
      expect(new Set(answers.map((answer) => answer.access_token)).size).toBe(50);
      const { grant_id: grant } = await row(token);
      const { rows } = await keks.database.client.query(
        'SELECT count(*)::int AS tokens FROM refresh_tokens WHERE grant_id = $1',
        [grant],
      );
      expect(rows).toEqual([{ tokens: 2 }]);
      expect(await reasonOfEnd(grant)).toBeNull();
    } finally {
      await patient.close();
    }
  });

  describe('with another SECRET_KEY', () => {
    it('and ours as SECRET_KEY_PREVIOUS: a lost answer is given again, and the lineage goes on', async () => {
      const { refresh_token: token } = await login();
      const first = await refreshed(token);
      const rotated = await another({
        SECRET_KEY: randomBytes(32).toString('hex'),
        SECRET_KEY_PREVIOUS: SECRET_KEY,
        REFRESH_GRACE_PERIOD: '300',
      });
      try {
        const again = issued(await refresh(rotated, token));
        expect(again.refresh_token).toBe(first.refresh_token);
        expect(await isAlive(rotated, again.access_token)).toBe(true);

        const next = issued(await refresh(rotated, first.refresh_token));
        const nextAgain = issued(await refresh(rotated, first.refresh_token));
        expect(nextAgain.refresh_token).toBe(next.refresh_token);
        expect(issued(await refresh(rotated, next.refresh_token ?? '')).scope).toBe(ALL);
        // made by a key that this instance does not have
        expectInvalidGrant(await refresh(keks, next.refresh_token ?? ''));
      } finally {
        await rotated.close();
      }
    });

    it('and without ours: no token of ours is one, and none is harmed', async () => {
      const { refresh_token: token } = await login();
      const replaced = await another({ SECRET_KEY: randomBytes(32).toString('hex') });
      try {
        expectInvalidGrant(await refresh(replaced, token));
      } finally {
        await replaced.close();
      }
      await refreshed(token);
    });
  });
});
