import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientAssertions } from '../../src/auth/clients/client-assertions.js';
import { readJwks } from '../../src/auth/clients/client-keys.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { addClient, basic, expectRefusal, isAlive, issued, submit } from '../support/oauth.js';
import { post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { send } from '../support/wire.js';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ISSUER = 'http://127.0.0.1:3000';

interface Signer {
  readonly alg: string;
  readonly key: CryptoKey;
  readonly jwk: JWK;
}

let keks: TestApp;
let admin: string;
let signer: Signer;
let client: string;
let jtis = 0;

async function signerOf(alg: string, kid?: string): Promise<Signer> {
  const options = { extractable: true, ...(alg === 'EdDSA' && { crv: 'Ed25519' }) };
  const { publicKey, privateKey } = await generateKeyPair(alg, options);
  return {
    alg,
    key: privateKey,
    jwk: { ...(await exportJWK(publicKey)), ...(kid !== undefined && { kid }) },
  };
}

const add = (keys: JWK[], more: object = {}): Promise<Answer> =>
  send(keks.url, 'POST', '/admin/clients', admin, {
    ...{ name: 'Robot', scope: 'cookies:eat', audience: ['https://oven.example'] },
    ...{ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } },
    ...more,
  });

async function addRobot(keys: JWK[]): Promise<string> {
  const answer = await add(keys);
  expect(answer.status).toBe(201);
  return (answer.body as { client_id: string }).client_id;
}

/** What a good client says; `undefined` leaves a claim out. */
async function assertion(claims: object = {}, header: object = {}, by = signer): Promise<string> {
  const now = keks.clock.seconds();
  const good = { iss: client, sub: client, aud: ISSUER, exp: now + 60, iat: now, jti: `j${(jtis += 1)}` };
  return new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg: by.alg, ...header }).sign(by.key);
}

const ask = (
  text: string,
  more: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> =>
  submit(
    keks.url,
    '/oauth/token',
    { grant_type: 'client_credentials', client_assertion_type: TYPE, client_assertion: text, ...more },
    headers,
  );

beforeAll(async () => {
  keks = await startTestApp({ REGISTRATION: 'open', REGISTRATION_SCOPE: 'cookies:eat' });
  await keks.addUser('Ann', 'cookies:eat keks:admin');
  admin = await keks.login('Ann');
  signer = await signerOf('ES256', 'one');
  client = await addRobot([signer.jwk]);
});

afterAll(() => keks.close());

describe('client_assertion (RFC 7523 §2.2)', () => {
  it('opens every endpoint at which clients authenticate, each with one of its own', async () => {
    const { access_token: token } = issued(await ask(await assertion()));
    const form = async () => ({ client_assertion_type: TYPE, client_assertion: await assertion(), token });
    const told = await submit(keks.url, '/oauth/introspect', await form());
    expect([told.status, told.body]).toMatchObject([200, { active: true, client_id: client }]);
    expect((await submit(keks.url, '/oauth/revoke', await form())).status).toBe(200);
    expect(await isAlive(keks, token)).toBe(false);
  });

  it('opens /oauth/par and /oauth/device_authorization, and nothing of it is kept (RFC 9126 §2, RFC 8628 §3.1)', async () => {
    const done = 'https://app.example/done';
    const answer = await add([signer.jwk], { redirect_uris: [done], device_grant: true });
    const { client_id: id } = answer.body as { client_id: string };
    const proof = async (aud: string) => ({
      client_assertion_type: TYPE,
      client_assertion: await assertion({ iss: id, sub: id, aud }),
    });
    const wanted = {
      ...{ response_type: 'code', redirect_uri: done, code_challenge: 'x'.repeat(43) },
      code_challenge_method: 'S256',
    };
    for (const aud of [ISSUER, `${ISSUER}/oauth/token`, `${ISSUER}/oauth/par`])
      expect((await submit(keks.url, '/oauth/par', { ...wanted, ...(await proof(aud)) })).status).toBe(201);
    const codes = await submit(keks.url, '/oauth/device_authorization', await proof(ISSUER));
    expect(codes.status).toBe(200);
    const kept = await keks.database.client.query<{ query: string }>(
      'SELECT row_to_json(r)::text AS query FROM pushed_requests r',
    );
    expect(kept.rows).toHaveLength(3);
    for (const { query } of kept.rows) expect(query).not.toContain('assertion');
    const used = await proof(ISSUER);
    for (const [path, status] of [
      ['/oauth/par', 201],
      ['/oauth/device_authorization', 401],
      ['/oauth/par', 401],
    ] as const)
      expect((await submit(keks.url, path, { ...wanted, ...used })).status).toBe(status);
    expectRefusal(await submit(keks.url, '/oauth/par', { ...wanted, client_id: id }), 401, 'invalid_client');
  });

  it.each(['EdDSA', 'PS256', 'RS256'])('is signed with %s as well', async (alg) => {
    const other = await signerOf(alg);
    const id = await addRobot([other.jwk]);
    issued(await ask(await assertion({ iss: id, sub: id }, {}, other)));
  });

  it('is for the issuer or for the token endpoint, alone or in a list; client_id may come along (RFC 7521 §4.2)', async () => {
    for (const aud of [`${ISSUER}/oauth/token`, [ISSUER], [ISSUER, `${ISSUER}/oauth/token`]])
      issued(await ask(await assertion({ aud })));
    issued(await ask(await assertion(), { client_id: client }));
  });

  describe('401 invalid_client, and no token (RFC 7523 §3)', () => {
    it.each<[string, object]>([
      ['another iss', { iss: 'c-000000000000000000000000' }],
      ['no iss', { iss: undefined }],
      ['a name that nothing can have', { iss: '\0', sub: '\0' }],
      ['a jti that nothing can have as a text', { jti: '\0', sub: 'c-0\0' }],
      ['another sub', { sub: 'c-000000000000000000000000' }],
      ['no sub', { sub: undefined }],
      ['another audience', { aud: 'https://other.example' }],
      ['another audience beside ours', { aud: [ISSUER, 'https://other.example'] }],
      ['no audience', { aud: undefined }],
      ['an empty list of audiences', { aud: [] }],
      ['no exp', { exp: undefined }],
      ['an exp that is past', { exp: 1 }],
      ['an exp far ahead', { exp: 9_999_999_999 }],
      ['an exp that is a text', { exp: '9999999999' }],
      ['an nbf ahead', { nbf: 9_999_999_999 }],
      ['an iat ahead', { iat: 9_999_999_999 }],
      ['no jti, by which it counts once', { jti: undefined }],
      ['a jti that is a number', { jti: 7 }],
      ['an endless jti', { jti: 'x'.repeat(256) }],
    ])('%s', async (_, claims) => {
      expectRefusal(await ask(await assertion(claims)), 401, 'invalid_client');
    });

    it('a key that is not its own, an algorithm that the key does not have, another kid, an unknown crit', async () => {
      const stranger = await signerOf('ES256', 'one');
      expectRefusal(await ask(await assertion({}, {}, stranger)), 401, 'invalid_client');
      expectRefusal(await ask(await assertion({}, { kid: 'two' })), 401, 'invalid_client');
      const [head = '', body = '', signature = ''] = (await assertion()).split('.');
      const headed = (header: object, signed = signature): string =>
        [Buffer.from(JSON.stringify(header)).toString('base64url'), body, signed].join('.');
      for (const text of [
        headed({ alg: 'none' }),
        headed({ alg: 'none' }, ''),
        headed({ alg: 'HS256' }),
        headed({ alg: 'RS256' }),
        headed({ alg: 'ES256', jwk: stranger.jwk }),
        headed({ alg: 'ES256', crit: ['x'] }),
        `${head}.${body}.${signature}A`,
        `${head}.${body}`,
        'no JWT',
        `${'a'.repeat(9_000)}.b.c`,
      ])
        expectRefusal(await ask(text), 401, 'invalid_client');
      // HMAC with the public key as its secret
      const { createHmac } = await import('node:crypto');
      const input = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${body}`;
      const forged = createHmac('sha256', JSON.stringify(signer.jwk)).update(input).digest('base64url');
      expectRefusal(await ask(`${input}.${forged}`), 401, 'invalid_client');
    });

    it('another type of assertion, one without the other, another client_id', async () => {
      expectRefusal(await ask(await assertion(), { client_assertion_type: 'x' }), 401, 'invalid_client');
      expectRefusal(await ask(await assertion(), { client_assertion_type: '' }), 401, 'invalid_client');
      expectRefusal(await ask(''), 401, 'invalid_client');
      expectRefusal(await ask(await assertion(), { client_id: 'c-1' }), 401, 'invalid_client');
    });

    it('a client without keys, a client that is disabled', async () => {
      const plain = await addClient(keks);
      expectRefusal(
        await ask(await assertion({ iss: plain.clientId, sub: plain.clientId })),
        401,
        'invalid_client',
      );
      const gone = await addRobot([signer.jwk]);
      issued(await ask(await assertion({ iss: gone, sub: gone })));
      await send(keks.url, 'PATCH', `/admin/clients/${gone}`, admin, { disabled: true });
      expectRefusal(await ask(await assertion({ iss: gone, sub: gone })), 401, 'invalid_client');
    });
  });

  it('400: two ways at once (RFC 6749 §2.3)', async () => {
    const plain = await addClient(keks);
    expectRefusal(await ask(await assertion(), {}, basic(plain)), 400, 'invalid_request');
    expectRefusal(
      await ask(await assertion(), { client_secret: plain.clientSecret }),
      400,
      'invalid_request',
    );
  });

  it('counts once: of many that come at once one is let in, and on no other instance, nor for another endpoint', async () => {
    const text = await assertion();
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(text)));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array.from({ length: 11 }, () => 401),
    ]);
    const other = await startTestApp({}, { ...keks.database, close: () => Promise.resolve() });
    try {
      expect(await other.app.get(ClientAssertions).verify(client, text)).toBeUndefined();
      expect(await other.app.get(ClientAssertions).verify(client, await assertion())).toBeDefined();
    } finally {
      await other.close();
    }
    const form = { client_assertion_type: TYPE, client_assertion: text, token: 'x' };
    expectRefusal(await submit(keks.url, '/oauth/introspect', form), 401, 'invalid_client');
    // another client may use the same id
    const second = await addRobot([signer.jwk]);
    const jti = 'the same';
    issued(await ask(await assertion({ jti })));
    issued(await ask(await assertion({ jti, iss: second, sub: second })));
  });

  it('is remembered for as long as it could come again, and not for ever', async () => {
    const count = async (): Promise<number> => {
      const { rows } = await keks.database.client.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM client_assertions',
      );
      return rows[0]?.n ?? 0;
    };
    const text = await assertion();
    issued(await ask(text));
    await keks.app.get(Maintenance).purge();
    expectRefusal(await ask(text), 401, 'invalid_client');
    expect(await count()).toBeGreaterThan(0);
    keks.clock.advance(200);
    await keks.app.get(Maintenance).purge();
    expect(await count()).toBe(0);
    expectRefusal(await ask(text), 401, 'invalid_client');
  });

  it('is nowhere in a log', () => {
    expect(keks.log.join('')).not.toMatch(/eyJ[\w-]+\.eyJ/);
  });
});

describe('keys of clients', () => {
  it('201: with keys there is no secret, and none can be added; without keys there is no such method', async () => {
    const { status, body } = await add([signer.jwk]);
    expect([status, body]).toMatchObject([
      201,
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kid: 'one', kty: 'EC' }] } },
    ]);
    expect(body).not.toHaveProperty('client_secret');
    const { client_id: id } = body as { client_id: string };
    expect((await send(keks.url, 'POST', `/admin/clients/${id}/secrets`, admin)).status).toBe(400);
    for (const more of [
      { jwks: undefined },
      { token_endpoint_auth_method: 'none' },
      { token_endpoint_auth_method: undefined },
    ])
      expect((await add([signer.jwk], more)).status).toBe(400);
  });

  it('400: keys for a client that has a secret', async () => {
    const plain = await addClient(keks);
    const path = `/admin/clients/${plain.clientId}`;
    expect((await send(keks.url, 'PATCH', path, admin, { jwks: { keys: [signer.jwk] } })).status).toBe(400);
  });

  it('PATCH replaces them: the old key is nothing any more, and tokens live on', async () => {
    const id = await addRobot([signer.jwk]);
    const { access_token: token } = issued(await ask(await assertion({ iss: id, sub: id })));
    const next = await signerOf('ES256', 'two');
    const changed = await send(keks.url, 'PATCH', `/admin/clients/${id}`, admin, {
      jwks: { keys: [next.jwk] },
    });
    expect(changed.body).toMatchObject({ jwks: { keys: [{ kid: 'two' }] } });
    expectRefusal(await ask(await assertion({ iss: id, sub: id })), 401, 'invalid_client');
    issued(await ask(await assertion({ iss: id, sub: id }, {}, next)));
    expect(await isAlive(keks, token)).toBe(true);
  });

  it('no others are taken: private, symmetric, weak, for something else, too many, twice the same kid', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const weak = await import('node:crypto').then(({ generateKeyPairSync }) =>
      generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' }),
    );
    const { jwk } = signer;
    for (const keys of [
      [],
      'x',
      [null],
      [await exportJWK(privateKey)],
      [{ kty: 'oct', k: 'c2VjcmV0' }],
      [weak],
      [{ ...jwk, use: 'enc' }],
      [{ ...jwk, alg: 'RS256' }],
      [{ ...jwk, x: 'AAAA' }],
      [{ ...jwk, crv: 'P-384' }],
      ...['constructor', '__proto__', 'toString', { toString: 'x', valueOf: 1 }, ['EC'], 7, null].map(
        (kty) => [{ ...jwk, kty }],
      ),
      [jwk, jwk],
      Array.from({ length: 11 }, (_, n) => ({ ...jwk, kid: String(n) })),
    ])
      expect(readJwks({ keys }), JSON.stringify(keys)).toBeUndefined();
    expect(readJwks({ keys: [{ ...jwk, use: 'sig', x5c: ['x'] }] })).toEqual([jwk]);
    expect(readJwks(undefined)).toBeUndefined();
  });

  it('a client registers itself with them (RFC 7591 §2), and keeps that kind', async () => {
    const wanted = {
      redirect_uris: ['http://127.0.0.1/done'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [signer.jwk] },
    };
    expect((await post(keks.url, '/oauth/register', { ...wanted, jwks: undefined })).body).toMatchObject({
      ...{ error: 'invalid_client_metadata', parameter: 'jwks' },
    });
    const { status, body } = await post(keks.url, '/oauth/register', wanted);
    expect([status, body]).toMatchObject([
      201,
      { token_endpoint_auth_method: 'private_key_jwt', jwks: wanted.jwks },
    ]);
    expect(body).not.toHaveProperty('client_secret');
    expect(body).not.toHaveProperty('client_secret_expires_at');
    const { client_id: id } = body as { client_id: string };
    // it proves itself, and acts for people only
    expectRefusal(await ask(await assertion({ iss: id, sub: id })), 400, 'unauthorized_client');
  });
});
