import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService, type NewClient } from '../../src/auth/clients/clients.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { decide } from '../support/device.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { ACCESS_TOKEN, EXCHANGE_GRANT } from '../support/exchange.js';
import { startInstance, type Instance } from '../support/instance.js';
import { ManualClock } from '../support/manual-clock.js';
import { BY_OPERATOR, isAlive, stayLoggedIn, type TestClient } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { launch, type ServerProcess } from '../support/process.js';
import { environment, PASSWORD } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

/**
 * Clients that others have written, and that refuse what a standard does not allow, against a server process: they know
 * its issuer and nothing else.
 */

const OVEN_API = 'https://oven.example/api';
const http = { [oauth.allowInsecureRequests]: true };

let database: TestDatabase;
let operator: Instance;
let server: ServerProcess;
let issuer: URL;
let baker: TestClient;
/** Gets JWTs. */
let signer: TestClient;
/** An API that asks about tokens: the Cookie Factory. */
let factory: TestClient;

async function addClient(client: Partial<NewClient>): Promise<TestClient> {
  const made = await operator.get(ClientsService).add(
    {
      name: 'a client',
      scope: ['cookies:eat', 'cookies:bake'],
      audience: [],
      resources: [],
      tokenFormat: 'opaque',
      ...client,
    },
    BY_OPERATOR,
  );
  return { clientId: made.clientId, clientSecret: made.clientSecret };
}

/** Its issuer is where it listens, so that discovery leads there. */
async function startAtIssuer(extra: Record<string, string> = {}): Promise<ServerProcess> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const started = launch(environment(database.url, { ISSUER: url, PORT: new URL(url).port, ...extra }), url);
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/health/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  for (let attempt = 0; !(await isReady()); attempt += 1) {
    if (attempt > 600 || started.child.exitCode !== null) throw new Error(started.output());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return started;
}

const login = (options = {}) => stayLoggedIn(server, 'Ann', options);

const eat = async (text: string): Promise<unknown> => {
  const answer = await oauth.protectedResourceRequest(
    text,
    'GET',
    new URL('/cookies', issuer),
    undefined,
    undefined,
    http,
  );
  return answer.json();
};

const resourceRequest = (access: string): Request =>
  new Request(OVEN_API, { headers: { authorization: `Bearer ${access}` } });

const configured = ({ clientId, clientSecret }: TestClient, authentication?: openid.ClientAuth) =>
  openid.discovery(issuer, clientId, clientSecret, authentication, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });

beforeAll(async () => {
  database = await createDatabase();
  operator = await startInstance(database.url, new ManualClock());
  server = await startAtIssuer();
  issuer = new URL(server.url);
  baker = await addClient({ resources: [OVEN_API] });
  signer = await addClient({ tokenFormat: 'jwt', resources: [OVEN_API] });
  factory = await addClient({ scope: [], audience: [server.url, OVEN_API] });
  await operator.get(UsersService).addUnchecked('Ann', PASSWORD, ['cookies:eat'], OPERATOR);
});

afterAll(async () => {
  await server.stop();
  await operator.close();
  await database.close();
});

describe('oauth4webapi', () => {
  let as: oauth.AuthorizationServer;
  const METHODS = [
    ['client_secret_basic', oauth.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost],
  ] as const;

  const token = async (
    { clientId, clientSecret }: TestClient,
    parameters: Record<string, string> = {},
    authentication: (secret: string) => oauth.ClientAuth = oauth.ClientSecretBasic,
  ): Promise<oauth.TokenEndpointResponse> => {
    const client = { client_id: clientId };
    const request = oauth.clientCredentialsGrantRequest(
      as,
      client,
      authentication(clientSecret),
      parameters,
      http,
    );
    return oauth.processClientCredentialsResponse(as, client, await request);
  };

  const introspected = async (
    text: string,
    { clientId, clientSecret }: TestClient,
    authentication: (secret: string) => oauth.ClientAuth = oauth.ClientSecretBasic,
  ): Promise<oauth.IntrospectionResponse> => {
    const client = { client_id: clientId };
    const request = oauth.introspectionRequest(as, client, authentication(clientSecret), text, http);
    return oauth.processIntrospectionResponse(as, client, await request);
  };

  const revoke = async (
    text: string,
    { clientId, clientSecret }: TestClient,
    authentication: (secret: string) => oauth.ClientAuth = oauth.ClientSecretBasic,
  ): Promise<void> => {
    const client = { client_id: clientId };
    const request = oauth.revocationRequest(as, client, authentication(clientSecret), text, http);
    await oauth.processRevocationResponse(await request);
  };

  const refreshed = async (text: string): Promise<oauth.TokenEndpointResponse> => {
    const client = { client_id: 'keks', token_endpoint_auth_method: 'none' };
    const request = oauth.refreshTokenGrantRequest(as, client, oauth.None(), text, http);
    return oauth.processRefreshTokenResponse(as, client, await request);
  };

  beforeAll(async () => {
    const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http });
    as = await oauth.processDiscoveryResponse(issuer, answer);
  });

  it('discovers the authority (RFC 8414)', () => {
    expect(as).toMatchObject({
      issuer: server.url,
      grant_types_supported: expect.arrayContaining(['authorization_code', 'client_credentials']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'client_secret_basic']),
    });
  });

  it('exchanges a token for one for another API (RFC 8693), as openid-client does', async () => {
    const api = { audience: [server.url], resources: [OVEN_API], tokenExchange: true };
    const shop = await addClient(api);
    const { token: subject } = await login();
    const parameters = {
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
      resource: OVEN_API,
      scope: 'cookies:eat',
    };
    const client = { client_id: shop.clientId };
    const secret = oauth.ClientSecretBasic(shop.clientSecret);
    const asked = oauth.genericTokenEndpointRequest(as, client, secret, EXCHANGE_GRANT, parameters, http);
    const answer = await oauth.processGenericTokenEndpointResponse(as, client, await asked);
    const told = { issued_token_type: ACCESS_TOKEN, token_type: 'bearer', scope: 'cookies:eat' };
    expect(answer).toMatchObject(told);
    expect(await introspected(answer.access_token, factory)).toMatchObject({
      active: true,
      aud: OVEN_API,
      act: { sub: shop.clientId },
    });
    const config = await configured(shop);
    expect(await openid.genericGrantRequest(config, EXCHANGE_GRANT, parameters)).toMatchObject(told);
  });

  it.each(['with a secret', 'without one'])(
    'runs the code flow %s: PKCE, iss, refresh (RFC 9700)',
    async (kind) => {
      const redirectUri = 'https://app.example/done';
      const added = {
        name: 'app',
        scope: ['cookies:eat'],
        audience: [],
        resources: [],
        tokenFormat: 'opaque',
      } as const;
      const clients = operator.get<ClientsService>(ClientsService);
      const app = { ...added, redirectUris: [redirectUri] };
      const made =
        kind === 'with a secret'
          ? await clients.add(app, BY_OPERATOR)
          : await clients.addPublic(app, BY_OPERATOR);
      const client = { client_id: made.clientId };
      const secret = 'clientSecret' in made ? String(made.clientSecret) : undefined;
      const proof = secret === undefined ? oauth.None() : oauth.ClientSecretBasic(secret);
      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const url = new URL(as.authorization_endpoint ?? '');
      url.search = new URLSearchParams({
        ...{ response_type: 'code', client_id: made.clientId, redirect_uri: redirectUri, state },
        ...{ scope: 'cookies:eat offline_access', code_challenge_method: 'S256' },
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      }).toString();
      const visitor = new Visitor(server.url);
      const asked = await visitor.signIn(await visitor.open(url.pathname + url.search), 'Ann');
      const answer = await visitor.submit(asked, 'consent', { decision: 'allow' });
      const parameters = oauth.validateAuthResponse(as, client, new URL(answer.location ?? ''), state);
      const request = oauth.authorizationCodeGrantRequest(
        as,
        client,
        proof,
        parameters,
        redirectUri,
        verifier,
        http,
      );
      const got = await oauth.processAuthorizationCodeResponse(as, client, await request);
      expect(await eat(got.access_token)).toEqual(['Cookie', 'Cookie', 'Cookie']);
      const again = oauth.refreshTokenGrantRequest(as, client, proof, got.refresh_token ?? '', http);
      const next = await oauth.processRefreshTokenResponse(as, client, await again);
      expect(await eat(next.access_token)).toEqual(['Cookie', 'Cookie', 'Cookie']);
    },
  );

  it('pushes its request, and runs the code flow with it (RFC 9126)', async () => {
    const redirectUri = 'https://app.example/done';
    const { clientId, clientSecret } = await addClient({ redirectUris: [redirectUri], requirePushed: true });
    const client = { client_id: clientId };
    const proof = oauth.ClientSecretBasic(clientSecret);
    const verifier = oauth.generateRandomCodeVerifier();
    const parameters = {
      ...{ response_type: 'code', redirect_uri: redirectUri, scope: 'cookies:eat' },
      ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    };
    const request = oauth.pushedAuthorizationRequest(as, client, proof, parameters, http);
    const pushed = await oauth.processPushedAuthorizationResponse(as, client, await request);
    const url = new URL(as.authorization_endpoint ?? '');
    url.search = new URLSearchParams({ client_id: clientId, request_uri: pushed.request_uri }).toString();
    const visitor = new Visitor(server.url);
    const asked = await visitor.signIn(await visitor.open(url.pathname + url.search), 'Ann');
    const location = (await visitor.submit(asked, 'consent', { decision: 'allow' })).location ?? '';
    const answer = oauth.validateAuthResponse(as, client, new URL(location), oauth.expectNoState);
    const got = oauth.authorizationCodeGrantRequest(as, client, proof, answer, redirectUri, verifier, http);
    const { access_token } = await oauth.processAuthorizationCodeResponse(as, client, await got);
    expect(await eat(access_token)).toEqual(['Cookie', 'Cookie', 'Cookie']);
  });

  it('runs the device flow: codes, pending, allowed, refresh (RFC 8628)', async () => {
    const made = await operator.get<ClientsService>(ClientsService).addPublic(
      {
        ...{ name: 'screen', scope: ['cookies:eat'], audience: [], resources: [], tokenFormat: 'opaque' },
        deviceGrant: true,
      },
      BY_OPERATOR,
    );
    const client = { client_id: made.clientId };
    const parameters = { scope: 'cookies:eat offline_access' };
    const asked = oauth.deviceAuthorizationRequest(as, client, oauth.None(), parameters, http);
    const codes = await oauth.processDeviceAuthorizationResponse(as, client, await asked);
    const poll = async (): Promise<oauth.TokenEndpointResponse> => {
      const request = oauth.deviceCodeGrantRequest(as, client, oauth.None(), codes.device_code, http);
      return oauth.processDeviceCodeResponse(as, client, await request);
    };
    expect(await poll().catch((error: oauth.ResponseBodyError) => error.error)).toBe('authorization_pending');
    await decide(new Visitor(server.url), 'Ann', codes.user_code);
    const got = await poll();
    expect(await eat(got.access_token)).toEqual(['Cookie', 'Cookie', 'Cookie']);
    const again = oauth.refreshTokenGrantRequest(as, client, oauth.None(), got.refresh_token ?? '', http);
    const next = await oauth.processRefreshTokenResponse(as, client, await again);
    expect(await eat(next.access_token)).toEqual(['Cookie', 'Cookie', 'Cookie']);
  });

  it('finds the authority from a refused request at the API (RFC 9728)', async () => {
    const refusal = await oauth
      .protectedResourceRequest('x', 'GET', new URL('/cookies', issuer), undefined, undefined, http)
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
    const [challenge, ...others] = (refusal as oauth.WWWAuthenticateChallengeError).cause;
    expect(others).toEqual([]);
    expect(challenge).toMatchObject({
      scheme: 'bearer',
      parameters: { realm: 'CookieFactory', error: 'invalid_token', resource_metadata: expect.any(String) },
    });
    const answer = await oauth.resourceDiscoveryRequest(issuer, http);
    expect(answer.url).toBe(challenge?.parameters.resource_metadata);
    const resource = await oauth.processResourceDiscoveryResponse(issuer, answer);
    expect(resource).toMatchObject({ resource: server.url, authorization_servers: [as.issuer] });
  });

  describe.each(METHODS)('with %s', (_, authentication) => {
    it('gets a token, eats, asks about it, takes it back', async () => {
      const { access_token: access, expires_in, scope } = await token(baker, {}, authentication);
      expect([expires_in, scope]).toEqual([3_600, 'cookies:eat cookies:bake']);
      expect(await eat(access)).toEqual(['Cookie', 'Cookie', 'Cookie']);
      expect(await introspected(access, baker, authentication)).toMatchObject({
        active: true,
        client_id: baker.clientId,
        iss: as.issuer,
        scope: 'cookies:eat cookies:bake',
      });
      await revoke(access, baker, authentication);
      expect(await introspected(access, baker, authentication)).toEqual({ active: false });
      await expect(eat(access)).rejects.toMatchObject({
        cause: [{ scheme: 'bearer', parameters: { error: 'invalid_token' } }],
      });
    });
  });

  it('asks for less, and for another API', async () => {
    const { access_token: access, scope } = await token(baker, { scope: 'cookies:bake', resource: OVEN_API });
    expect(scope).toBe('cookies:bake');
    expect(await introspected(access, factory)).toMatchObject({
      active: true,
      aud: OVEN_API,
      sub: baker.clientId,
    });
    await expect(eat(access)).rejects.toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
  });

  it('gets a token of a client without any scope', async () => {
    const nobody = await addClient({ scope: [] });
    expect(await token(nobody)).toMatchObject({ scope: '' });
  });

  it('refreshes a login as the public client, which it is', async () => {
    const first = await login({ scope: 'cookies:eat' });
    const second = await refreshed(first.refresh_token);
    expect(second).toMatchObject({ scope: 'cookies:eat', refresh_expires_in: expect.any(Number) });
    expect(await eat(second.access_token)).toHaveLength(3);
    const third = await refreshed(second.refresh_token ?? '');
    expect(await isAlive(server, third.access_token)).toBe(true);
    const replay = refreshed(first.refresh_token);
    await expect(replay).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
    await expect(refreshed(third.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('reads all errors of the token endpoint (RFC 6749 §5.2)', async () => {
    await expect(token(baker, { scope: 'cookies:steal' })).rejects.toMatchObject({
      name: 'ResponseBodyError',
      error: 'invalid_scope',
      status: 400,
    });
    await expect(token(baker, { resource: 'https://nobody.example' })).rejects.toMatchObject({
      error: 'invalid_target',
    });
    const client = { client_id: baker.clientId };
    const password = await oauth.genericTokenEndpointRequest(
      as,
      client,
      oauth.ClientSecretBasic(baker.clientSecret),
      'password',
      { username: 'Ann', password: PASSWORD },
      http,
    );
    await expect(oauth.processGenericTokenEndpointResponse(as, client, password)).rejects.toMatchObject({
      error: 'unsupported_grant_type',
    });
  });

  it('reads the challenge of a client that is not believed', async () => {
    for (const [, authentication] of METHODS)
      await expect(token({ ...baker, clientSecret: 'wrong: +%é' }, {}, authentication)).rejects.toMatchObject(
        {
          cause: [{ scheme: 'basic', parameters: { realm: 'CookieFactory' } }],
          status: 401,
        },
      );
  });

  it("is refused another client's token", async () => {
    const { access_token: access } = await token(signer);
    expect(await introspected(access, baker)).toEqual({ active: false });
    await expect(revoke(access, baker)).rejects.toMatchObject({ error: 'unauthorized_client', status: 400 });
    expect(await isAlive(server, access)).toBe(true);
  });

  describe('a self-contained token', () => {
    it('of a client is taken by a resource server that never asks (RFC 9068 §4)', async () => {
      const { access_token: access } = await token(signer, { resource: OVEN_API, scope: 'cookies:bake' });
      const claims = await oauth.validateJwtAccessToken(as, resourceRequest(access), OVEN_API, http);
      expect(claims).toMatchObject({
        sub: signer.clientId,
        client_id: signer.clientId,
        scope: 'cookies:bake',
      });
      await expect(
        oauth.validateJwtAccessToken(as, resourceRequest(access), server.url, http),
      ).rejects.toThrow('aud');
    });

    it('of a person too, also when it was refreshed', async () => {
      const { token: first, refresh_token } = await login({ format: 'jwt' });
      const { access_token: second } = await refreshed(refresh_token);
      for (const access of [first, second]) {
        const claims = await oauth.validateJwtAccessToken(as, resourceRequest(access), server.url, http);
        expect(claims).toMatchObject({ client_id: 'keks', scope: 'cookies:eat keks:account' });
      }
    });

    it('is verified by jose with nothing but the published keys', async () => {
      const { access_token: access } = await token(signer);
      const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ''));
      const { payload, protectedHeader } = await jwtVerify(access, keys, {
        issuer: as.issuer,
        audience: server.url,
        typ: 'at+jwt',
        requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
      });
      expect(protectedHeader.alg).toBe('ES256');
      expect(payload).toMatchObject({ sub: signer.clientId });
      const [header, claims = '', signature] = access.split('.');
      const edited = Buffer.from(claims, 'base64url').toString().replace('cookies:eat', 'keks:admin!');
      const forgery = `${header}.${Buffer.from(edited).toString('base64url')}.${signature}`;
      await expect(jwtVerify(forgery, keys)).rejects.toMatchObject({
        code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      });
    });

    it('can be asked about and taken back as any other', async () => {
      const { access_token: access } = await token(signer);
      expect(await introspected(access, factory)).toMatchObject({ active: true, sub: signer.clientId });
      await revoke(access, signer);
      expect(await introspected(access, factory)).toEqual({ active: false });
    });
  });
});

describe('oauth4webapi with DPoP (RFC 9449), at a server that wants nonces', () => {
  let strict: ServerProcess;
  let as: oauth.AuthorizationServer;

  beforeAll(async () => {
    strict = await startAtIssuer({ DPOP_REQUIRE_NONCE: 'true' });
    const url = new URL(strict.url);
    const answer = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...http });
    as = await oauth.processDiscoveryResponse(url, answer);
  });

  afterAll(() => strict.stop());

  /** As its documentation says: once more, with the nonce that it has been given. */
  const withNonce = async <T>(work: () => Promise<T>): Promise<T> => {
    const refusal = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(oauth.isDPoPNonceError(refusal)).toBe(true);
    return work();
  };

  const eatBound = async (token: string, DPoP: oauth.DPoPHandle): Promise<unknown> => {
    const url = new URL('/cookies?flavour=oats', strict.url);
    const options = { DPoP, ...http };
    return (await oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, options)).json();
  };

  it.each(['ES256', 'Ed25519', 'PS256', 'RS256'])('gets a token for itself, and eats: %s', async (alg) => {
    expect(as.dpop_signing_alg_values_supported).toContain(alg);
    const client: oauth.Client = { client_id: signer.clientId };
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(alg));
    const secret = oauth.ClientSecretBasic(signer.clientSecret);
    const got = await withNonce(async () => {
      const request = oauth.clientCredentialsGrantRequest(as, client, secret, {}, { DPoP, ...http });
      return oauth.processClientCredentialsResponse(as, client, await request);
    });
    expect(got.token_type).toBe('dpop');
    // the nonce that it has been given is good at the API as well
    expect(await eatBound(got.access_token, DPoP)).toEqual(['Cookie', 'Cookie', 'Cookie']);
    const stolen = oauth.DPoP(client, await oauth.generateKeyPair(alg));
    await expect(withNonce(() => eatBound(got.access_token, stolen))).rejects.toMatchObject({
      cause: [{ scheme: 'dpop', parameters: { error: 'invalid_token' } }],
    });
    const claims = await oauth
      .validateJwtAccessToken(
        as,
        new Request(new URL('/cookies', strict.url), {
          headers: { authorization: `Bearer ${got.access_token}` },
        }),
        strict.url,
        http,
      )
      .catch((error: unknown) => error);
    expect(String(claims)).toMatch(/cnf|DPoP/i);
  });

  it('runs the code flow as a public client: dpop_jkt, PKCE, refresh', async () => {
    const redirectUri = 'https://app.example/done';
    const given = { name: 'app', scope: ['cookies:eat'], audience: [], resources: [] } as const;
    const { clientId } = await operator
      .get<ClientsService>(ClientsService)
      .addPublic({ ...given, tokenFormat: 'opaque', redirectUris: [redirectUri] }, BY_OPERATOR);
    const client: oauth.Client = { client_id: clientId };
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const verifier = oauth.generateRandomCodeVerifier();
    const url = new URL(as.authorization_endpoint ?? '');
    url.search = new URLSearchParams({
      ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri },
      ...{ scope: 'cookies:eat offline_access', code_challenge_method: 'S256' },
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      dpop_jkt: await DPoP.calculateThumbprint(),
    }).toString();
    const visitor = new Visitor(strict.url);
    const asked = await visitor.signIn(await visitor.open(url.pathname + url.search), 'Ann');
    const answer = await visitor.submit(asked, 'consent', { decision: 'allow' });
    const came = new URL(answer.location ?? '');
    const parameters = oauth.validateAuthResponse(as, client, came, oauth.expectNoState);
    const got = await withNonce(async () => {
      const request = oauth.authorizationCodeGrantRequest(
        ...([as, client, oauth.None(), parameters, redirectUri, verifier, { DPoP, ...http }] as const),
      );
      return oauth.processAuthorizationCodeResponse(as, client, await request);
    });
    expect(await eatBound(got.access_token, DPoP)).toHaveLength(3);
    const again = oauth.refreshTokenGrantRequest(as, client, oauth.None(), got.refresh_token ?? '', {
      DPoP,
      ...http,
    });
    const next = await oauth.processRefreshTokenResponse(as, client, await again);
    expect(await eatBound(next.access_token, DPoP)).toHaveLength(3);
  });
});

describe('openid-client', () => {
  it.each([
    ['client_secret_post', openid.ClientSecretPost],
    ['client_secret_basic', openid.ClientSecretBasic],
  ])('runs the whole flow with %s', async (_, authentication) => {
    const config = await configured(baker, authentication(baker.clientSecret));
    const { access_token: access, expiresIn } = await openid
      .clientCredentialsGrant(config, { scope: 'cookies:eat', resource: server.url })
      .then((answer) => ({ ...answer, expiresIn: answer.expiresIn() }));
    expect(expiresIn).toBeGreaterThan(3_000);
    const cookies = await openid.fetchProtectedResource(config, access, new URL('/cookies', issuer), 'GET');
    expect(await cookies.json()).toEqual(['Cookie', 'Cookie', 'Cookie']);
    expect(await openid.tokenIntrospection(config, access)).toMatchObject({ active: true, aud: server.url });
    await openid.tokenRevocation(config, access);
    expect(await openid.tokenIntrospection(config, access)).toEqual({ active: false });
  });

  it('refreshes a login, and again', async () => {
    const config = await openid.discovery(issuer, 'keks', undefined, openid.None(), {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
    let { refresh_token: text } = await login();
    for (let time = 0; time < 3; time += 1) {
      const answer = await openid.refreshTokenGrant(config, text, { scope: 'cookies:eat' });
      expect(answer.scope).toBe('cookies:eat');
      expect(answer.refresh_token).not.toBe(text);
      text = answer.refresh_token ?? '';
    }
  });
});
