import type { Principal, TokenValidator } from 'keks-guard';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { claimsOf, headerOf, signed, storedKey, type StoredKey } from './forge.js';
import { newOwner, proof } from './dpop.js';
import { addClient, basic, clientToken, stayLoggedIn, submit, type TestClient } from './oauth.js';
import { startOwnApi, type OwnApi, type Platform } from './own-api.js';
import { takeAway } from './outage.js';
import { exchange, type RawAnswer } from './raw-http.js';
import { PASSWORD, post, type TestApp } from './test-app.js';
import { genuine, unpack } from './token-smith.js';

/** One adapter of the port, and what is said of it in its documentation. */
export interface Contestant {
  readonly validator: (keks: TestApp) => TokenValidator | Promise<TokenValidator>;
  readonly platform: Platform;
  /** Opaque tokens too, or only those that speak for themselves. */
  readonly formats: readonly Format[];
  /** Whether a token that was taken back is dead with the answer to the revoke, or only when it expires. */
  readonly learnsOfRevocations: boolean;
  /** Whether it needs the authority, and the authority its database, for every verdict. */
  readonly asksEveryTime: boolean;
  /** Whether it gives no verdict either when the authority has been away for a while. */
  readonly asksInTheEnd?: boolean;
}

export type Format = 'opaque' | 'jwt';

/**
 * What every validator must do, whichever way it comes to its verdicts. All of it is asked twice: of the port, and over
 * HTTP of an API that knows nothing but `keks/guard`.
 */
export function describeValidator(name: string, keksOf: () => TestApp, contestant: Contestant): void {
  const { formats, learnsOfRevocations, asksEveryTime, asksInTheEnd = false } = contestant;

  describe(name, () => {
    let keks: TestApp;
    let validator: TokenValidator;
    let api: OwnApi;
    let client: TestClient;
    let key: StoredKey;

    beforeAll(async () => {
      keks = keksOf();
      validator = await contestant.validator(keks);
      api = await startOwnApi(contestant.platform, {
        realm: 'Bakery',
        audience: keks.config.AUDIENCE,
        validator,
      });
      await login('jwt');
      key = await storedKey(keks.database, keks.app);
    });

    afterAll(() => api.close());

    async function login(format: Format, scope?: string, user = 'CookieDestroyer'): Promise<string> {
      const body = { user, password: PASSWORD, format, ...(scope === undefined ? {} : { scope }) };
      const answer = await post(keks.url, '/issue', body);
      expect(answer.status).toBe(200);
      return (answer.body as { token: string }).token;
    }

    async function tokenOfClient(format: Format, scope: string[] = ['cookies:eat']): Promise<string> {
      client = await addClient(keks, { tokenFormat: format, scope });
      return (await clientToken(keks, client)).access_token;
    }

    const eat = (token: string, path = '/cookies'): Promise<RawAnswer> =>
      exchange(api.url, { path, headers: ['Host: test', `Authorization: Bearer ${token}`] });

    async function principalOf(token: string): Promise<Principal> {
      const validation = await validator.validate(token);
      if (!validation.active) throw new Error(`refused: ${validation.reason}`);
      expect(JSON.parse((await eat(token, '/me')).body)).toEqual(validation.principal);
      return validation.principal;
    }

    async function expectRefused(token: string): Promise<void> {
      expect(await validator.validate(token)).toEqual({ active: false, reason: expect.any(String) });
      await expectDeadAsBearer(token);
    }

    async function expectDeadAsBearer(token: string): Promise<void> {
      const answer = await eat(token);
      const reference = await eat('x');
      expect([answer.status, answer.body]).toEqual([401, reference.body]);
      expect(answer.header('www-authenticate')).toBe(reference.header('www-authenticate'));
    }

    describe.each(formats)('%s', (format) => {
      it('a login: who, for which client, what for, for whom, until when', async () => {
        const token = await login(format, 'cookies:eat');
        const [{ id } = { id: '' }] = (
          await keks.database.client.query<{ id: string }>(
            `SELECT id FROM users WHERE name = 'CookieDestroyer'`,
          )
        ).rows;
        const expiresAt = format === 'jwt' ? claimsOf(token)['exp'] : unpack(token).expiresAt;
        expect(await principalOf(token)).toMatchObject({
          subject: id,
          clientId: 'keks',
          scope: ['cookies:eat'],
          audience: [keks.config.AUDIENCE],
          expiresAt,
          tokenId: expect.stringMatching(/./),
        });
        expect((await eat(token)).status).toBe(200);
      });

      it('a client speaks for itself', async () => {
        const token = await tokenOfClient(format);
        expect(await principalOf(token)).toMatchObject({
          subject: client.clientId,
          clientId: client.clientId,
          scope: ['cookies:eat'],
        });
      });

      it('a token that may do nothing is good all the same, and then 403', async () => {
        const token = await tokenOfClient(format, []);
        expect((await principalOf(token)).scope).toEqual([]);
        expect((await eat(token)).status).toBe(403);
      });

      it('bound to a key: whose, and good with a proof by its owner only (RFC 9449 §7)', async () => {
        const [owner, thief] = await Promise.all([newOwner(), newOwner()]);
        const { ISSUER, AUDIENCE } = keks.config;
        const now = keks.clock.now();
        const at = { method: 'POST', url: `${ISSUER}/oauth/token`, now };
        client = await addClient(keks, { tokenFormat: format, scope: ['cookies:eat'] });
        const headers = { ...basic(client), dpop: await proof(owner, at) };
        const form = { grant_type: 'client_credentials' };
        const { body } = await submit(keks.url, '/oauth/token', form, headers);
        const { access_token: token } = body as { access_token: string };
        const validation = await validator.validate(token);
        expect(validation).toMatchObject({ active: true, principal: { jkt: owner.jkt } });
        await expectDeadAsBearer(token);
        for (const [by, status] of [
          [thief, 401],
          [owner, 200],
        ] as const) {
          const sent = await proof(by, { method: 'GET', url: `${AUDIENCE}/cookies`, token });
          const lines = ['Host: test', `Authorization: DPoP ${token}`, `DPoP: ${sent}`];
          expect((await exchange(api.url, { path: '/cookies', headers: lines })).status).toBe(status);
        }
        // and one that is not bound is no such token
        const bearer = await login(format);
        const sent = await proof(owner, { method: 'GET', url: `${AUDIENCE}/cookies`, token: bearer });
        const lines = ['Host: test', `Authorization: DPoP ${bearer}`, `DPoP: ${sent}`];
        expect((await exchange(api.url, { path: '/cookies', headers: lines })).status).toBe(401);
      });

      it('two tokens of one login have two ids', async () => {
        const [first, second] = [await login(format), await login(format)];
        expect((await principalOf(first)).tokenId).not.toBe((await principalOf(second)).tokenId);
      });

      it('one character more, less or different is refused', async () => {
        const token = await login(format);
        const at = token.length - 20;
        const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
        for (const other of [`${token}A`, `${token}=`, token.slice(0, -1), changed])
          await expectRefused(other);
      });

      it('dead on the second of its expiry, without leeway (RFC 7519 §4.1.4)', async () => {
        const token = await login(format);
        const { expiresAt } = await principalOf(token);
        await keks.clock.during(async () => {
          keks.clock.freeze();
          keks.clock.goTo(expiresAt - 3);
          expect((await validator.validate(token)).active).toBe(true);
          keks.clock.goTo(expiresAt);
          await expectRefused(token);
        });
      });

      it('meant for another API: not good here', async () => {
        await addClient(keks, { audience: ['https://other.example'] });
        const other = await addClient(keks, { tokenFormat: format, resources: ['https://other.example'] });
        const { access_token: token } = await clientToken(keks, other, { resource: 'https://other.example' });
        expect((await eat(token)).status).toBe(401);
      });

      const fate = learnsOfRevocations
        ? 'dead with the answer to the revoke'
        : 'still good after a revoke, until it expires: this validator is not told';

      it(fate, async () => {
        const expected = learnsOfRevocations ? 401 : 200;
        const revoked = await login(format);
        expect((await eat(revoked)).status).toBe(200);
        await post(keks.url, '/revoke', { token: revoked });
        expect((await eat(revoked)).status).toBe(expected);
        const ended = await stayLoggedIn(keks, 'CookieDestroyer', format === 'jwt' ? { format } : {});
        await post(keks.url, '/revoke', { token: ended.refresh_token });
        expect((await eat(ended.token)).status).toBe(expected);
      });

      it('raced: no answer that begins after the revoke was answered says 200', async (context) => {
        if (!learnsOfRevocations) return context.skip('not told of revocations');
        const tokens = await Promise.all(Array.from({ length: 20 }, () => login(format)));
        const late = tokens.map(async (token) => {
          const noise = Array.from({ length: 5 }, () => eat(token));
          await post(keks.url, '/revoke', { token });
          const { status } = await eat(token);
          await Promise.all(noise);
          return status;
        });
        expect(new Set(await Promise.all(late))).toEqual(new Set([401]));
      });

      it('many at once get each their own verdict', async () => {
        const good = await login(format, 'cookies:eat');
        const narrow = await login(format, 'keks:account');
        const asked = Array.from({ length: 60 }, (_, at) => [good, narrow, `${good}x`][at % 3] ?? '');
        const statuses = await Promise.all(asked.map(async (token) => (await eat(token)).status));
        expect(statuses).toEqual(asked.map((_, at) => [200, 403, 401][at % 3]));
      });

      it(
        asksEveryTime
          ? 'no verdict while the database is away: 503, never 401'
          : 'verdicts while the authority is away',
        async () => {
          const token = await login(format);
          expect((await eat(token)).status).toBe(200);
          const outage = await takeAway(keks.database);
          const verdict = validator.validate(token);
          if (asksEveryTime) await expect(verdict).rejects.toThrow();
          else expect((await verdict).active).toBe(true);
          const statuses = new Set([asksEveryTime ? 503 : 200]);
          if (asksInTheEnd) {
            await expect.poll(async () => (await eat(token)).status).toBe(503);
            statuses.add(503).delete(200);
          }
          expect(statuses).toContain((await eat(token)).status);
          await outage.end();
          await expect.poll(async () => (await eat(token)).status, { timeout: 90_000 }).toBe(200);
        },
      );
    });

    describe('refused by all', () => {
      it.each(['x', 'a.b.c', '-._~+/==', 'kat_', 'x'.repeat(9_000), '..', 'null'])(
        'garbage: %.12s',
        (token) => expectRefused(token),
      );

      it.each(['kat_', 'krt_', 'kak_', 'kcs_'] as const)(
        'a genuine token that was never issued: %s',
        (prefix) =>
          expectRefused(genuine(prefix, keks.clock.seconds() + 60, keks.app.get(TokenKeys).current)),
      );

      it('what is no access token: a refresh token, a client’s secret', async () => {
        const { refresh_token } = await stayLoggedIn(keks, 'CookieDestroyer');
        await expectRefused(refresh_token);
        await expectRefused((await addClient(keks)).clientSecret);
      });

      it('a JWT that is wrong in one thing and right in all others', async () => {
        const token = await login('jwt');
        const [header, claims] = [headerOf(token), claimsOf(token)];
        const past = keks.clock.seconds() - 1;
        // but `aud`: where there is a record of the token, the record says whom it is for
        const forged = [
          signed({ ...header, alg: 'none' }, claims, key.privateKey),
          signed({ ...header, alg: 'HS256' }, claims, key.privateKey),
          signed({ ...header, typ: 'JWT' }, claims, key.privateKey),
          signed({ ...header, kid: 'x' }, claims, key.privateKey),
          signed({ ...header, crit: ['exp'] }, claims, key.privateKey),
          signed(header, { ...claims, iss: 'https://other' }, key.privateKey),
          signed(header, { ...claims, exp: past }, key.privateKey),
          signed(header, { ...claims, exp: undefined }, key.privateKey),
          signed(header, { ...claims, jti: undefined }, key.privateKey),
          signed(header, { ...claims, sub: undefined }, key.privateKey),
          signed(header, { ...claims, client_id: undefined }, key.privateKey),
          `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`,
        ];
        for (const one of forged) expect((await eat(one)).status).toBe(401);
        expect((await eat(signed(header, claims, key.privateKey))).status).toBe(200);
      });
    });

    it('an API key: good, if opaque tokens are', async () => {
      const session = await login('opaque');
      const made = await post(
        keks.url,
        '/keys',
        { label: 'oven', password: PASSWORD, scope: 'cookies:eat' },
        { authorization: `Bearer ${session}` },
      );
      expect(made.status).toBe(201);
      const { key: apiKey } = made.body as { key: string };
      if (!formats.includes('opaque')) return expectRefused(apiKey);
      expect(await principalOf(apiKey)).toMatchObject({ scope: ['cookies:eat'] });
      expect((await eat(apiKey)).status).toBe(200);
    });
  });
}
