import { JwtValidator } from 'keks-guard/jwt';
import { RemoteValidator } from 'keks-guard/remote';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthService } from '../../src/auth/auth.service.js';
import { exchange, JWT } from '../support/exchange.js';
import { addClient, clientToken } from '../support/oauth.js';
import { expectNoVerdict } from '../support/no-verdict.js';
import { startTestApp, type TestApp, PATIENT_MS } from '../support/test-app.js';
import { describeValidator } from '../support/validator-suite.js';

/** One suite for every implementation of the port: in process, over HTTP, by signature alone. */
describe('validators', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp({ LEASE_TTL: '2s' });
    await keks.addUser('CookieDestroyer');
  });

  afterAll(async () => {
    exact?.onApplicationShutdown();
    await keks.close();
  });

  const remote = async (): Promise<RemoteValidator> =>
    new RemoteValidator({
      timeoutMs: PATIENT_MS,
      introspectionEndpoint: `${keks.url}/oauth/introspect`,
      ...(await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] })),
    });

  let exact: JwtValidator | undefined;
  const leased = async (): Promise<JwtValidator> =>
    new JwtValidator({
      timeoutMs: PATIENT_MS,
      issuer: keks.config.ISSUER,
      audience: keks.config.AUDIENCE,
      jwksUri: `${keks.url}/.well-known/jwks.json`,
      introspectionEndpoint: `${keks.url}/oauth/introspect`,
      revocationsEndpoint: `${keks.url}/oauth/revocations`,
      revocations: 'exact',
      ...(await addClient(keks, { name: 'oven', scope: [], audience: [keks.config.AUDIENCE] })),
      now: () => keks.clock.now(),
    });

  const offline = (): JwtValidator =>
    new JwtValidator({
      timeoutMs: PATIENT_MS,
      issuer: keks.config.ISSUER,
      audience: keks.config.AUDIENCE,
      jwksUri: `${keks.url}/.well-known/jwks.json`,
      now: () => keks.clock.now(),
    });

  describeValidator('AuthService, in process', () => keks, {
    validator: () => keks.app.get(AuthService),
    platform: 'Fastify',
    formats: ['opaque', 'jwt'],
    learnsOfRevocations: true,
    asksEveryTime: true,
  });

  describeValidator('RemoteValidator, by introspection', () => keks, {
    validator: remote,
    platform: 'Express',
    formats: ['opaque', 'jwt'],
    learnsOfRevocations: true,
    asksEveryTime: true,
  });

  describeValidator('JwtValidator, offline', () => keks, {
    validator: offline,
    platform: 'Fastify',
    formats: ['jwt'],
    learnsOfRevocations: false,
    asksEveryTime: false,
  });

  describeValidator('JwtValidator, exact', () => keks, {
    validator: async () => {
      exact = await leased();
      return exact;
    },
    platform: 'Express',
    formats: ['jwt'],
    learnsOfRevocations: true,
    asksEveryTime: false,
    asksInTheEnd: true,
  });

  describe('say the same of the same token', () => {
    it('but for the grant, which only the authority itself knows', async () => {
      const client = await addClient(keks, { tokenFormat: 'jwt' });
      const { access_token: token } = await clientToken(keks, client);
      const over = await (await remote()).validate(token);
      expect(await offline().validate(token)).toEqual(over);
      const inside = await keks.app.get(AuthService).validate(token);
      if (!inside.active || !over.active) throw new Error('refused');
      const { grantId, grantKind, tokenId, ...shared } = inside.principal;
      // in process the id is that of the row: with it the operator finds the token
      expect({ ...shared, tokenId: over.principal.tokenId }).toEqual(over.principal);
      expect([typeof grantId, grantKind, typeof tokenId]).toEqual(['string', 'client', 'string']);
    });
  });

  describe('say the same of a token that was exchanged (RFC 8693 §4.1)', () => {
    it('who acts, the one who does now first', async () => {
      const apis = { audience: [keks.config.AUDIENCE], tokenExchange: true };
      const [one, two] = [await addClient(keks, apis), await addClient(keks, apis)];
      const token = await keks.login('CookieDestroyer');
      const first = await exchange(keks, one, token);
      const { access_token: again } = first.body as { access_token: string };
      const { body } = await exchange(keks, two, again, { requested_token_type: JWT });
      const { access_token: made } = body as { access_token: string };
      const told = [keks.app.get(AuthService), await remote(), offline(), await leased()].map((one) =>
        one.validate(made),
      );
      for (const validation of await Promise.all(told))
        expect(validation).toMatchObject({
          active: true,
          principal: { clientId: two.clientId, actors: [two.clientId, one.clientId], scope: ['cookies:eat'] },
        });
      const plain = await (await remote()).validate(token);
      if (!plain.active) throw new Error('refused');
      expect('actors' in plain.principal).toBe(false);
    });
  });

  describe('RemoteValidator against a real Keks', () => {
    it('whose client it is not: a fault of the API, 503 for its callers and never 401', async () => {
      const { clientId } = await addClient(keks);
      const { clientSecret } = await addClient(keks);
      const one = new RemoteValidator({
        timeoutMs: PATIENT_MS,
        introspectionEndpoint: `${keks.url}/oauth/introspect`,
        clientId,
        clientSecret,
      });
      await expectNoVerdict(one.validate(await keks.login('CookieDestroyer')), 'credentials_refused');
    });

    it('learns nothing of tokens that are meant for others', async () => {
      const one = new RemoteValidator({
        timeoutMs: PATIENT_MS,
        introspectionEndpoint: `${keks.url}/oauth/introspect`,
        ...(await addClient(keks, { audience: ['https://bakery.example'] })),
      });
      const token = await keks.login('CookieDestroyer');
      expect(await one.validate(token)).toEqual({ active: false, reason: 'inactive' });
    });
  });
});
