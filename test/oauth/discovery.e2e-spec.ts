import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceMetadataUrl, wellKnownPath } from '../../src/auth/discovery/well-known.js';
import {
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

type Json = Record<string, unknown>;

const SERVER = '/.well-known/oauth-authorization-server';
const RESOURCE = '/.well-known/oauth-protected-resource';
const JWKS = '/.well-known/jwks.json';

const SECRETS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
const ALGS = ['ES256', 'EdDSA', 'PS256', 'RS256'];

let keks: TestApp;

async function document(path: string): Promise<Json> {
  const answer = await get(keks.url, path);
  expect(answer.status, path).toBe(200);
  return answer.body as Json;
}

function challengeOf(answer: Answer): string {
  return answer.headers.get('www-authenticate') ?? '';
}

/** The last parameter, wherever else it may stand. */
function resourceMetadataOf(answer: Answer): string | undefined {
  return /resource_metadata="([^"]*)"/.exec(challengeOf(answer))?.[1];
}

describe('an authority at the root of its host', () => {
  beforeAll(async () => {
    keks = await startTestApp();
    await keks.addUser('CookieDestroyer');
  });

  afterAll(() => keks.close());

  describe('GET /.well-known/oauth-authorization-server', () => {
    it('says where everything is, all of it from configuration (RFC 8414 §2)', async () => {
      expect(await document(SERVER)).toEqual({
        issuer: 'http://127.0.0.1:3000',
        authorization_endpoint: 'http://127.0.0.1:3000/oauth/authorize',
        token_endpoint: 'http://127.0.0.1:3000/oauth/token',
        pushed_authorization_request_endpoint: 'http://127.0.0.1:3000/oauth/par',
        require_pushed_authorization_requests: false,
        device_authorization_endpoint: 'http://127.0.0.1:3000/oauth/device_authorization',
        introspection_endpoint: 'http://127.0.0.1:3000/oauth/introspect',
        revocation_endpoint: 'http://127.0.0.1:3000/oauth/revoke',
        keks_revocation_feed_endpoint: 'http://127.0.0.1:3000/oauth/revocations',
        jwks_uri: 'http://127.0.0.1:3000/.well-known/jwks.json',
        scopes_supported: expect.arrayContaining(['cookies:eat', 'offline_access']),
        response_types_supported: ['code'],
        response_modes_supported: ['query', 'form_post'],
        grant_types_supported: [
          'authorization_code',
          'client_credentials',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:device_code',
        ],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'],
        token_endpoint_auth_methods_supported: [...SECRETS, 'none'],
        token_endpoint_auth_signing_alg_values_supported: ALGS,
        introspection_endpoint_auth_methods_supported: SECRETS,
        introspection_endpoint_auth_signing_alg_values_supported: ALGS,
        revocation_endpoint_auth_methods_supported: [...SECRETS, 'none'],
        revocation_endpoint_auth_signing_alg_values_supported: ALGS,
      });
    });

    it('has the issuer letter by letter (RFC 8414 §3.3)', async () => {
      expect((await document(SERVER))['issuer']).toBe(keks.config.ISSUER);
    });

    it('lists no endpoint that is not served', async () => {
      const metadata = await document(SERVER);
      for (const [name, value] of Object.entries(metadata)) {
        if (!/_endpoint$|_uri$/.test(name)) continue;
        const path = String(value).slice(keks.config.ISSUER.length);
        const isRead = name.endsWith('_uri') || name === 'authorization_endpoint';
        const method = isRead ? 'GET' : 'POST';
        const answer = await request(keks.url, path, { method });
        expect([404, 405], name).not.toContain(answer.status);
      }
    });

    it('lists each scope once, and only what a route asks for or a login understands', async () => {
      const scopes = (await document(SERVER))['scopes_supported'] as string[];
      expect(new Set(scopes).size).toBe(scopes.length);
      for (const scope of scopes) expect(scope).toMatch(/^(?:keks:[a-z]+|cookies:eat|offline_access)$/);
    });

    it('names none in no list of algorithms, and no algorithm at all that is not asked for', async () => {
      const metadata = await document(SERVER);
      for (const [name, value] of Object.entries(metadata))
        if (name.includes('alg')) expect(value, name).not.toContain('none');
      const lists = Object.keys(metadata).filter((name) => JSON.stringify(metadata[name]).includes('"none"'));
      expect(lists).toEqual([
        'token_endpoint_auth_methods_supported',
        'revocation_endpoint_auth_methods_supported',
      ]);
    });

    it('offers neither passwords nor a way around them (RFC 9700 §2.4)', async () => {
      expect(JSON.stringify(await document(SERVER))).not.toMatch(/password|implicit|plain/);
    });

    it('answers a grant type that it lists not with unsupported_grant_type, which it lists not', async () => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await request(keks.url, '/oauth/token', {
        method: 'POST',
        headers: form,
        body: 'grant_type=password',
      });
      expect(answer.body).toMatchObject({ error: 'unsupported_grant_type' });
    });
  });

  describe('GET /.well-known/oauth-protected-resource', () => {
    it('says who issues tokens for the API (RFC 9728 §2)', async () => {
      expect(await document(RESOURCE)).toEqual({
        resource: 'http://127.0.0.1:3000',
        authorization_servers: ['http://127.0.0.1:3000'],
        scopes_supported: expect.arrayContaining(['cookies:eat']),
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'],
        dpop_bound_access_tokens_required: false,
      });
    });

    it('lists no scope that is no permission', async () => {
      expect((await document(RESOURCE))['scopes_supported']).not.toContain('offline_access');
    });

    it('is where the challenges of the API point (RFC 9728 §5.1)', async () => {
      const url = `http://127.0.0.1:3000${RESOURCE}`;
      const dead = `kat_${'A'.repeat(54)}`;
      await keks.addUser('Poor', '');
      const poor = await keks.login('Poor');
      const answers = {
        unauthorized: await get(keks.url, '/cookies'),
        invalid_token: await get(keks.url, '/cookies', dead),
        insufficient_scope: await get(keks.url, '/cookies', poor),
        invalid_request: await request(keks.url, '/cookies', { headers: { authorization: 'Bearer' } }),
      };
      for (const [error, answer] of Object.entries(answers)) {
        expect(answer.body, error).toMatchObject({ error });
        expect(challengeOf(answer), error).toMatch(/^Bearer realm="CookieFactory"/);
        expect(resourceMetadataOf(answer), error).toBe(url);
      }
    });

    it('and those of POST /validate, byte by byte the same', async () => {
      const dead = `kat_${'A'.repeat(54)}`;
      const validated = await post(keks.url, '/validate', { token: dead });
      expect(validated.status).toBe(401);
      expect(challengeOf(validated)).toBe(challengeOf(await get(keks.url, '/cookies', dead)));
      expect(validated.body).toEqual((await get(keks.url, '/cookies', dead)).body);
    });

    it('whoever calls himself the host', async () => {
      const headers = {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        forwarded: 'host=evil.example',
      };
      for (const path of [SERVER, RESOURCE, JWKS, '/cookies']) {
        const answer = await request(keks.url, path, { headers });
        expect(JSON.stringify([answer.body, challengeOf(answer)]), path).not.toContain('evil');
      }
    });
  });

  describe('GET /.well-known/jwks.json', () => {
    it('has the public keys, and may be kept for half the publish wait', async () => {
      const answer = await get(keks.url, JWKS);
      expect(answer.body).toEqual({
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            x: expect.stringMatching(/^[\w-]{43}$/),
            y: expect.stringMatching(/^[\w-]{43}$/),
            kid: expect.stringMatching(/^[\w-]{43}$/),
            use: 'sig',
            alg: 'ES256',
          },
        ],
      });
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
      expect(keks.config.SIGNING_KEY_PUBLISH).toBe(600);
    });

    it('has the key of a JWT that was issued a moment ago', async () => {
      const login = { user: 'CookieDestroyer', password: PASSWORD, format: 'jwt' };
      const { token } = (await post(keks.url, '/issue', login)).body as { token: string };
      const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Json;
      const { keys } = (await document(JWKS)) as { keys: Json[] };
      expect(keys.map((key) => key['kid'])).toContain(kid);
    });
  });

  it.each([SERVER, RESOURCE, JWKS])('%s is public JSON that caches may keep for a while', async (path) => {
    const answer = await get(keks.url, path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it.each([SERVER, RESOURCE, JWKS])('%s answers GET and HEAD and nothing else', async (path) => {
    expect((await fetch(keks.url + path, { method: 'HEAD' })).status).toBe(200);
    const refused = await post(keks.url, path, {});
    expect(refused.status).toBe(405);
    expect(refused.headers.get('allow')).toContain('GET');
  });

  it.each([
    `${SERVER}/tenant`,
    `${RESOURCE}/v1`,
    `${JWKS}/x`,
    '/.well-known',
    '/.well-known/openid-configuration',
  ])('%s is not there', async (path) => expect((await get(keks.url, path)).status).toBe(404));
});

describe('an issuer and an audience with a path', () => {
  beforeAll(async () => {
    keks = await startTestApp({
      ISSUER: 'https://auth.example.com/tenant/1',
      AUDIENCE: 'https://api.example.com/v1',
    });
  });

  afterAll(() => keks.close());

  it('have the well-known part between host and path (RFC 8414 §3.1)', async () => {
    expect(await document(`${SERVER}/tenant/1`)).toMatchObject({
      issuer: 'https://auth.example.com/tenant/1',
      token_endpoint: 'https://auth.example.com/tenant/1/oauth/token',
      jwks_uri: 'https://auth.example.com/tenant/1/.well-known/jwks.json',
    });
    for (const path of [SERVER, `${SERVER}/tenant`, `${SERVER}/tenant/1/`, `/tenant/1${SERVER}`])
      expect((await get(keks.url, path)).status, path).toBe(404);
  });

  it('and so the resource (RFC 9728 §3.1), identical to the audience', async () => {
    expect(await document(`${RESOURCE}/v1`)).toMatchObject({
      resource: 'https://api.example.com/v1',
      authorization_servers: ['https://auth.example.com/tenant/1'],
    });
    expect((await get(keks.url, RESOURCE)).status).toBe(404);
    const refused = await get(keks.url, '/cookies');
    expect(resourceMetadataOf(refused)).toBe(`https://api.example.com${RESOURCE}/v1`);
  });
});

describe('an audience that is no URL', () => {
  beforeAll(async () => {
    keks = await startTestApp({ AUDIENCE: 'cookie-factory' });
  });

  afterAll(() => keks.close());

  it('has no document, and no challenge that points to one', async () => {
    expect((await get(keks.url, RESOURCE)).status).toBe(404);
    const answers = [await get(keks.url, '/cookies'), await post(keks.url, '/validate', { token: 'x' })];
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).not.toContain('resource_metadata');
    }
  });
});

describe('resourceMetadataUrl', () => {
  it.each([
    ['https://api.example.com', 'https://api.example.com/.well-known/oauth-protected-resource'],
    ['https://api.example.com/', 'https://api.example.com/.well-known/oauth-protected-resource'],
    ['https://API.example.com:443/V1', 'https://api.example.com/.well-known/oauth-protected-resource/V1'],
    ['http://[::1]:3000/a/b', 'http://[::1]:3000/.well-known/oauth-protected-resource/a/b'],
  ])('%s -> %s', (audience, url) => expect(resourceMetadataUrl(audience)).toBe(url));

  it.each([
    '',
    'cookie-factory',
    'urn:example:cookies',
    'mailto:a@b.c',
    'https://api.example.com/?tenant=1',
    'https://api.example.com/#a',
    'https://user:pass@api.example.com',
    'https://api.example.com/a b',
    'https://api.example.com/a"b',
    'https://api.example.com/:id',
    'https://api.example.com/*',
    'https://api.example.com/%2e%2e/x',
    'https://api.example.com//x',
    'https://api.example.com/v1/',
    'https://api.example.com/a/../b',
  ])('%s -> none', (audience) => expect(resourceMetadataUrl(audience)).toBeUndefined());

  it('has its part from the standard of each document', () =>
    expect(wellKnownPath('oauth-authorization-server', 'https://a.example/b')).toBe(`${SERVER}/b`));
});
