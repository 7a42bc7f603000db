import { Controller, Get } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import fastify from 'fastify';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { Public, RequireDpop, type DpopOptions } from 'keks-guard';
import { bearerGuard as forExpress } from 'keks-guard/express';
import { bearerGuard as forFastify } from 'keks-guard/fastify';
import { TestValidator } from 'keks-guard/testing';
import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseChallenges } from '../support/challenge-parser.js';
import { newOwner, proof, spelled, type Owner, type ProofOf } from '../support/dpop.js';
import { PLATFORMS, startOwnApi, VaultController } from '../support/own-api.js';
import { exchange, type RawAnswer } from '../support/raw-http.js';

/** Nowhere: that is where callers reach it, whatever the socket says. */
const API = 'https://api.example';
const ALGS = 'ES256 Ed25519 EdDSA PS256 RS256';

@Controller('half-open')
class HalfOpenController {
  @Get('closed')
  @RequireDpop()
  closed(): string[] {
    return [];
  }

  @Get()
  read(): string[] {
    return [];
  }
}

@Controller('lastly-open')
@RequireDpop()
class LastlyOpenController {
  @Get()
  @Public()
  read(): string[] {
    return [];
  }
}

const tokens = new TestValidator({ audience: [API] });
let owner: Owner;
let thief: Owner;

interface Api {
  readonly url: string;
  close(): Promise<unknown>;
}

type Route = (path: string, ...handlers: unknown[]) => void;

async function startExpress(dpop: DpopOptions): Promise<Api> {
  const app = new ExpressAdapter().getInstance<RequestListener & { get: Route; post: Route; use: Route }>();
  const guard = forExpress({ realm: 'Bakery', audience: API, validator: tokens, dpop });
  const answer = (_: unknown, response: ServerResponse) => response.end('["Cookie"]');
  app.get('/cookies', guard('cookies:eat'), answer);
  app.post('/cookies', guard('cookies:eat', 'cookies:bake'), answer);
  app.get('/me', guard(), answer);
  // of a mounted middleware Express shortens the address
  app.use('/mounted', guard(), answer);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: async () => server.close() };
}

async function startFastify(dpop: DpopOptions): Promise<Api> {
  const app = fastify();
  const guard = forFastify({ realm: 'Bakery', audience: API, validator: tokens, dpop });
  app.get('/cookies', { onRequest: guard('cookies:eat') }, () => ['Cookie']);
  app.post('/cookies', { onRequest: guard('cookies:eat', 'cookies:bake') }, () => ['Cookie']);
  app.get('/me', { onRequest: guard() }, () => ['Cookie']);
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
}

const startNest =
  (platform: 'Express' | 'Fastify') =>
  (dpop: DpopOptions): Promise<Api> =>
    startOwnApi(platform, { realm: 'Bakery', audience: API, validator: tokens, dpop });

const STARTS = [
  ['Nest on Fastify', startNest('Fastify')],
  ['Nest on Express', startNest('Express')],
  ['Express without Nest', startExpress],
  ['Fastify without Nest', startFastify],
] as const;

beforeAll(async () => {
  [owner, thief] = await Promise.all([newOwner(), newOwner()]);
});

describe.each(STARTS)('a token that is bound to a key (RFC 9449): %s', (_, start) => {
  let api: Api;
  let token: string;

  beforeAll(async () => {
    api = await start({ publicUrl: API });
  });

  beforeEach(() => {
    token = tokens.issue('cookies:eat', { jkt: owner.jkt });
  });

  afterAll(() => api.close());

  const ask = (path: string, headers: string[], method = 'GET', url = api.url): Promise<RawAnswer> =>
    exchange(url, { method, path, headers: ['Host: api.example', ...headers] });

  const withProofs = (...proofs: string[]): string[] => [
    `Authorization: DPoP ${token}`,
    ...proofs.map((one) => `DPoP: ${one}`),
  ];

  const proofFor = (path: string, of: Partial<ProofOf> = {}, by = owner): Promise<string> =>
    proof(by, { method: 'GET', url: API + path, token, ...of });

  function expectRefused(answer: RawAnswer, error: string, status = 401, scheme = 'DPoP'): void {
    expect([answer.status, (JSON.parse(answer.body) as { error: string }).error]).toEqual([status, error]);
    const [challenge, ...others] = parseChallenges(answer.header('www-authenticate') ?? '');
    expect([challenge?.scheme, others]).toEqual([scheme, []]);
    if (error !== 'unauthorized') expect(challenge?.params.get('error')).toBe(error);
    expect(challenge?.params.get('algs')).toBe(scheme === 'DPoP' ? ALGS : undefined);
    expect(challenge?.params.get('realm')).toBe('Bakery');
  }

  it('§7.1: opens with the scheme DPoP and a proof, in any case of the scheme', async () => {
    const answer = await ask('/cookies', withProofs(await proofFor('/cookies')));
    expect(answer.status).toBe(200);
    expect(answer.header('cache-control')).toBe('no-store');
    const [, ...rest] = withProofs(await proofFor('/cookies'));
    expect((await ask('/cookies', [`authorization: dpop  ${token}`, ...rest])).status).toBe(200);
  });

  it('§7.2: as a bearer token it is dead, with a proof and without, and looks as any dead one', async () => {
    const dead = await ask('/cookies', ['Authorization: Bearer nobody-made-this']);
    for (const more of [[], [`DPoP: ${await proofFor('/cookies')}`]]) {
      const answer = await ask('/cookies', [`Authorization: Bearer ${token}`, ...more]);
      expectRefused(answer, 'invalid_token', 401, 'Bearer');
      expect(answer.body).toBe(dead.body);
      expect(answer.header('www-authenticate')).toBe(dead.header('www-authenticate'));
    }
  });

  it('§7.2: a token that is not bound is refused with the scheme DPoP', async () => {
    token = tokens.issue('cookies:eat');
    expectRefused(await ask('/cookies', withProofs(await proofFor('/cookies'))), 'invalid_token');
    expect((await ask('/cookies', [`Authorization: Bearer ${token}`])).status).toBe(200);
  });

  it('§4.3: without a proof, with two, with an empty one', async () => {
    expectRefused(await ask('/cookies', withProofs()), 'invalid_dpop_proof');
    const one = await proofFor('/cookies');
    const two = withProofs(one, await proofFor('/cookies'));
    expectRefused(await ask('/cookies', two), 'invalid_dpop_proof');
    expectRefused(await ask('/cookies', withProofs('')), 'invalid_dpop_proof');
    expectRefused(await ask('/cookies', withProofs(`${one}, ${one}`)), 'invalid_dpop_proof');
    // none of that has used it up
    expect((await ask('/cookies', withProofs(one))).status).toBe(200);
  });

  it("a stolen token with somebody else's key is dead (§4.3, §6)", async () => {
    expectRefused(await ask('/cookies', withProofs(await proofFor('/cookies', {}, thief))), 'invalid_token');
  });

  it('§11.1: a proof works once, also for whoever overheard all of the request', async () => {
    const overheard = withProofs(await proofFor('/cookies'));
    expect((await ask('/cookies', overheard)).status).toBe(200);
    expectRefused(await ask('/cookies', overheard), 'invalid_dpop_proof');
  });

  it('raced: of fifty uses of one proof, one gets in', async () => {
    const overheard = withProofs(await proofFor('/cookies'));
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/cookies', overheard)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
  });

  it.each([
    ['another route', { url: `${API}/me` }],
    ['a path below it', { url: `${API}/cookies/1` }],
    ['another host', { url: 'https://other.example/cookies' }],
    ['a host that begins like it', { url: 'https://api.example.evil.example/cookies' }],
    ['another port', { url: 'https://api.example:8443/cookies' }],
    ['plain http', { url: 'http://api.example/cookies' }],
    ['somebody in front of the host', { url: 'https://ann@api.example/cookies' }],
    ['a path only', { url: '/cookies' }],
    ['another method', { method: 'POST' }],
    ['the method in small letters', { method: 'get' }],
    ['an older time', { now: Date.now() - 3_600_000 }],
    ['a time to come', { now: Date.now() + 3_600_000 }],
    ['a time that is none', { claims: { iat: 'now' } }],
    ['no time', { claims: { iat: undefined } }],
    ['no jti', { claims: { jti: undefined } }],
    ['an empty jti', { claims: { jti: '' } }],
    ['a jti without end', { claims: { jti: 'x'.repeat(257) } }],
    ['no htm', { claims: { htm: undefined } }],
    ['no htu', { claims: { htu: undefined } }],
    ['no ath', { claims: { ath: undefined } }],
    ['the ath of another token', { claims: { ath: randomBytes(32).toString('base64url') } }],
    ['another typ', { header: { typ: 'JWT' } }],
    ['no typ', { header: { typ: undefined } }],
    ['no jwk', { header: { jwk: undefined } }],
    ['a jwk that is none', { header: { jwk: 'key' } }],
    ['a jwk of another curve', { header: { jwk: { kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' } } }],
    ['4,097 characters', { claims: { padding: 'x'.repeat(4_096) } }],
  ] satisfies [string, Partial<ProofOf>][])('§4.3: not with a proof for or with %s', async (_name, of) => {
    expectRefused(await ask('/cookies', withProofs(await proofFor('/cookies', of))), 'invalid_dpop_proof');
  });

  it('§4.3: nor with a key that has something private in it, which is told to everybody now', async () => {
    const jwk = await exportJWK(owner.privateKey);
    const sent = await proofFor('/cookies', { header: { jwk } });
    expectRefused(await ask('/cookies', withProofs(sent)), 'invalid_dpop_proof');
  });

  it('§4.3: nor by an algorithm that is none, or symmetric, or not listed, or not of this key', async () => {
    const { publicJwk: jwk } = owner;
    const header = { typ: 'dpop+jwt', jwk };
    const good = await proofFor('/cookies');
    const claims = JSON.parse(Buffer.from(good.split('.')[1] ?? '', 'base64url').toString()) as object;
    for (const alg of ['none', 'HS256', 'ES384', 'PS256', 'Ed25519', 'es256', ['ES256'], undefined])
      expectRefused(
        await ask('/cookies', withProofs(spelled({ ...header, alg }, claims))),
        'invalid_dpop_proof',
      );
    // the public key as a secret, as in CVE-2015-9235
    const secret = Buffer.from(JSON.stringify(jwk));
    const symmetric = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'HS256', jwk })
      .sign(secret);
    expectRefused(await ask('/cookies', withProofs(symmetric)), 'invalid_dpop_proof');
    // without a signature
    const [head, body] = good.split('.');
    for (const text of [`${head}.${body}.`, `${head}.${body}`, spelled({ ...header, alg: 'ES256' }, claims)])
      expectRefused(await ask('/cookies', withProofs(text)), 'invalid_dpop_proof');
    expect((await ask('/cookies', withProofs(good))).status).toBe(200);
  });

  it('nor with a key so small or so large, or with an exponent of its own, that it costs us', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', {
      modulusLength: 2_048,
      extractable: true,
    });
    const good = { alg: 'RS256', publicJwk: await exportJWK(publicKey), privateKey, jkt: '' };
    for (const jwk of [
      { ...good.publicJwk, e: randomBytes(256).toString('base64url') },
      { ...good.publicJwk, n: (good.publicJwk.n ?? '').slice(0, 171) },
      { ...good.publicJwk, n: (good.publicJwk.n ?? '').repeat(3) },
    ]) {
      const sent = await proofFor('/cookies', { header: { jwk } }, good);
      expectRefused(await ask('/cookies', withProofs(sent)), 'invalid_dpop_proof');
    }
  });

  it.each(['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'])('takes proofs by %s', async (alg) => {
    const other = await newOwner(alg);
    token = tokens.issue('cookies:eat', { jkt: other.jkt });
    expect((await ask('/cookies', withProofs(await proofFor('/cookies', {}, other)))).status).toBe(200);
  });

  it.each([
    'HTTPS://API.EXAMPLE/cookies',
    'https://api.example:443/cookies',
    'https://api.example/cookies?flavour=oats#crumbs',
    'https://api.example/%63ookies',
    'https://api.example/jar/../cookies',
  ])('§4.3: htu is compared as addresses are (RFC 3986 §6.2.2, §6.2.3): %s', async (url) => {
    expect((await ask('/cookies?x=1', withProofs(await proofFor('', { url })))).status).toBe(200);
  });

  it('a request line that climbs is at no address, wherever a router would lead it', async () => {
    for (const path of ['/jar/../cookies', '/jar/%2e%2E/cookies', `${API}/cookies`, '/.\\cookies']) {
      const answer = await ask(path, withProofs(await proofFor('/cookies')));
      expect(answer.status).not.toBe(200);
    }
  });

  it('403 without the scope, 503 without a verdict, 400 for two headers Authorization', async () => {
    const headers = withProofs(await proofFor('/cookies', { method: 'POST' }));
    expectRefused(await ask('/cookies', headers, 'POST'), 'insufficient_scope', 403);
    const good = withProofs(await proofFor('/cookies'));
    expect((await ask('/cookies', [...good, `Authorization: Bearer ${token}`])).status).toBe(400);
    tokens.away = true;
    expect((await ask('/cookies', good)).status).toBe(503);
    tokens.away = false;
    // the proof was not used up by an outage
    expect((await ask('/cookies', good)).status).toBe(200);
  });

  it('the challenge to whoever has no token is as it was', async () => {
    const answer = await ask('/cookies', []);
    expectRefused(answer, 'unauthorized', 401, 'Bearer');
    expect(answer.header('www-authenticate')).toBe('Bearer realm="Bakery", scope="cookies:eat"');
  });
});

describe.each(STARTS)('nonces (§9): %s', (_, start) => {
  let api: Api;
  let twin: Api;
  let now = Date.now();

  const options = (secret: string): DpopOptions => ({
    publicUrl: API,
    nonces: { secrets: [secret, 'y'.repeat(32)], lifetime: 100 },
    now: () => now,
  });

  beforeAll(async () => {
    api = await start(options('x'.repeat(32)));
    twin = await start(options('y'.repeat(32)));
  });

  beforeEach(() => {
    now = Date.now();
  });

  afterAll(() => Promise.all([api.close(), twin.close()]));

  const eat = async (nonce?: string, of: Partial<ProofOf> = {}, { url } = api): Promise<RawAnswer> => {
    const token = tokens.issue('cookies:eat', { jkt: owner.jkt });
    const sent = await proof(owner, { method: 'GET', url: `${API}/cookies`, token, nonce, now, ...of });
    const headers = ['Host: x', `Authorization: DPoP ${token}`, `DPoP: ${sent}`];
    return exchange(url, { path: '/cookies', headers });
  };

  it('are asked for, given, taken, and good at every instance', async () => {
    const refused = await eat();
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([401, { error: 'use_dpop_nonce' }]);
    const [challenge] = parseChallenges(refused.header('www-authenticate') ?? '');
    expect([challenge?.scheme, challenge?.params.get('error')]).toEqual(['DPoP', 'use_dpop_nonce']);
    const nonce = refused.header('dpop-nonce') ?? '';
    // §8.1: NQCHAR
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
    const answer = await eat(nonce);
    expect([answer.status, answer.header('dpop-nonce')]).toEqual([200, null]);
    const ofTwin = (await eat(undefined, {}, twin)).header('dpop-nonce') ?? '';
    expect(ofTwin).not.toBe(nonce);
    expect((await eat(ofTwin)).status).toBe(200);
    // the twin has not yet been told of the newer secret
    expect((await eat(nonce, {}, twin)).status).toBe(401);
  });

  it('§8.2: a new one comes with the answer while the old one still counts; then it is over', async () => {
    const nonce = (await eat()).header('dpop-nonce') ?? '';
    now += 50_000;
    const answer = await eat(nonce);
    const next = answer.header('dpop-nonce');
    expect([answer.status, typeof next, next === nonce]).toEqual([200, 'string', false]);
    now += 50_000;
    expect((await eat(nonce)).status).toBe(401);
    expect((await eat(next ?? '')).status).toBe(200);
  });

  it('§11.1: tell the age of a proof, so that a wrong clock does not matter', async () => {
    const nonce = (await eat()).header('dpop-nonce') ?? '';
    expect((await eat(nonce, { now: now - 86_400_000 })).status).toBe(200);
  });

  it('nobody else can make one', async () => {
    const nonce = (await eat()).header('dpop-nonce') ?? '';
    const bytes = Buffer.from(nonce, 'base64url');
    bytes[19] = (bytes[19] ?? 0) ^ 1;
    for (const other of [bytes.toString('base64url'), '', 'x', randomBytes(20).toString('base64url')])
      expect(JSON.parse((await eat(other)).body)).toMatchObject({ error: 'use_dpop_nonce' });
  });
});

describe('@RequireDpop() and the option required', () => {
  let api: Api;

  beforeAll(async () => {
    api = await startNest('Fastify')({});
  });

  afterAll(() => api.close());

  const ask = (path: string, headers: string[], { url } = api): Promise<RawAnswer> =>
    exchange(url, { path, headers: ['Host: x', ...headers] });

  it('close a route to bearer tokens, and say what opens it', async () => {
    const answer = await ask('/vault', []);
    expect(answer.status).toBe(401);
    expect(answer.header('www-authenticate')).toBe(
      `DPoP realm="Bakery", scope="cookies:eat", algs="${ALGS}"`,
    );
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'unauthorized' });
    const bearer = await ask('/vault', [`Authorization: Bearer ${tokens.issue('cookies:eat')}`]);
    expect(bearer.status).toBe(401);
    expect(bearer.header('www-authenticate')).toMatch(/^DPoP realm="Bakery", error="invalid_token"/);
  });

  it('open it to a bound one, by the address that the audience is', async () => {
    const token = tokens.issue('cookies:eat', { jkt: owner.jkt });
    const sent = await proof(owner, { method: 'GET', url: `${API}/vault`, token });
    expect((await ask('/vault', [`Authorization: DPoP ${token}`, `DPoP: ${sent}`])).status).toBe(200);
  });

  it.each(STARTS)('close all of an API: %s', async (_, start) => {
    const closed = await start({ required: true });
    const bearer = tokens.issue('cookies:eat');
    for (const headers of [[], [`Authorization: Bearer ${bearer}`]]) {
      const answer = await ask('/cookies', headers, closed);
      expect([answer.status, answer.header('www-authenticate')?.startsWith('DPoP ')]).toEqual([401, true]);
    }
    const token = tokens.issue('cookies:eat', { jkt: owner.jkt });
    const sent = await proof(owner, { method: 'GET', url: `${API}/cookies`, token });
    const good = [`Authorization: DPoP ${token}`, `DPoP: ${sent}`];
    expect((await ask('/cookies', good, closed)).status).toBe(200);
    await closed.close();
  });
});

describe('an API', () => {
  it('that cannot know its address takes no proofs: bound tokens are dead there in every way', async () => {
    const strangers = new TestValidator();
    const api = await startOwnApi('Fastify', { realm: 'Bakery', validator: strangers });
    const token = strangers.issue('cookies:eat', { jkt: owner.jkt });
    const sent = await proof(owner, { method: 'GET', url: `${api.url}/cookies`, token });
    for (const scheme of ['DPoP', 'Bearer']) {
      const headers = ['Host: x', `Authorization: ${scheme} ${token}`, `DPoP: ${sent}`];
      const answer = await exchange(api.url, { path: '/cookies', headers });
      expect([answer.status, answer.header('www-authenticate')?.split(' ')[0]]).toEqual([401, 'Bearer']);
    }
    await api.close();
  });

  it.each(PLATFORMS)(
    'with @RequireDpop() that cannot know its address does not start: %s',
    async (platform) => {
      const starting = startOwnApi(platform, { realm: 'Bakery', validator: tokens }, undefined, [
        VaultController,
        HalfOpenController,
      ]);
      await expect(starting).rejects.toThrow(
        /^@RequireDpop\(\) on VaultController\.open\(\), HalfOpenController\.closed\(\): .* dpop: \{ publicUrl: /,
      );
    },
  );

  it('with @RequireDpop() on what is open to everybody starts: nothing is closed', async () => {
    const options = { realm: 'Bakery', validator: tokens };
    const api = await startOwnApi('Fastify', options, undefined, [LastlyOpenController]);
    expect((await fetch(`${api.url}/lastly-open`)).status).toBe(200);
    await api.close();
  });

  it('behind a proxy that takes a prefix off is at its public address; and at each of several', async () => {
    const publicUrl = ['https://proxy.example/Bakery/', 'https://old.example'];
    const api = await startNest('Express')({ publicUrl });
    for (const [url, status] of [
      ['https://proxy.example/Bakery/cookies', 200],
      ['https://old.example/cookies', 200],
      ['https://proxy.example/cookies', 401],
      [`${API}/cookies`, 401],
    ] as const) {
      const token = tokens.issue('cookies:eat', { jkt: owner.jkt });
      const sent = await proof(owner, { method: 'GET', url, token });
      const headers = [`Host: ${new URL(url).host}`, `Authorization: DPoP ${token}`, `DPoP: ${sent}`];
      expect((await exchange(api.url, { path: '/cookies', headers })).status, url).toBe(status);
    }
    await api.close();
  });

  it('in Express is asked about the whole address, also where a middleware is mounted', async () => {
    const api = await startExpress({ publicUrl: API });
    for (const [path, status] of [
      ['/mounted/jar', 200],
      ['/jar', 401],
    ] as const) {
      const token = tokens.issue('', { jkt: owner.jkt });
      const sent = await proof(owner, { method: 'GET', url: API + path, token });
      const headers = ['Host: x', `Authorization: DPoP ${token}`, `DPoP: ${sent}`];
      expect((await exchange(api.url, { path: '/mounted/jar', headers })).status).toBe(status);
    }
    await api.close();
  });

  it('whose memory is full gives no verdict rather than a wrong one', async () => {
    const api = await startNest('Fastify')({ publicUrl: API, memoryEntries: 2 });
    const statuses: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      const token = tokens.issue('cookies:eat', { jkt: owner.jkt });
      const sent = await proof(owner, { method: 'GET', url: `${API}/cookies`, token });
      const headers = ['Host: x', `Authorization: DPoP ${token}`, `DPoP: ${sent}`];
      statuses.push((await exchange(api.url, { path: '/cookies', headers })).status);
    }
    expect(statuses).toEqual([200, 200, 503]);
    await api.close();
  });

  it('tells of proofs in its metadata (RFC 9728 §2)', async () => {
    const given = { realm: 'Bakery', validator: tokens, authorizationServers: ['https://auth.example'] };
    const api = await startOwnApi('Fastify', { ...given, resource: API, dpop: { required: true } });
    const answer = await fetch(`${api.url}/.well-known/oauth-protected-resource`);
    expect(await answer.json()).toMatchObject({
      dpop_signing_alg_values_supported: ALGS.split(' '),
      dpop_bound_access_tokens_required: true,
    });
    await api.close();
  });

  it('is told at the start what cannot be meant', async () => {
    const start = (dpop: DpopOptions) => startOwnApi('Fastify', { realm: 'x', validator: tokens, dpop });
    for (const [dpop, words] of [
      [{}, /publicUrl/],
      [{ publicUrl: 'api.example' }, /absolute URL/],
      [{ publicUrl: 'ftp://api.example' }, /http/],
      [{ publicUrl: `${API}?x` }, /query/],
      [{ publicUrl: API, window: 0 }, /window/],
      [{ publicUrl: API, nonces: { secrets: ['short'] } }, /32 bytes/],
      [{ publicUrl: API, nonces: { secrets: [] } }, /32 bytes/],
    ] as const)
      await expect(async () => start(dpop as DpopOptions)).rejects.toThrow(words);
  });
});
