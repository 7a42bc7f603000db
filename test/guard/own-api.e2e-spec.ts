import { Injectable, Module } from '@nestjs/common';
import { NoVerdict, TokenValidator, type Principal, type Validation } from 'keks-guard';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearerChallenge } from '../support/challenge-parser.js';
import { CatchAll, PLATFORMS, startOwnApi, type OwnApi } from '../support/own-api.js';
import { exchange, type RawAnswer } from '../support/raw-http.js';

const METADATA = 'https://api.example/.well-known/oauth-protected-resource';
const AUDIENCE = 'https://api.example';

function principal(scope: string[], audience = [AUDIENCE]): Principal {
  return { subject: 's', clientId: 'c', scope, audience, expiresAt: 4_000_000_000, tokenId: 't' };
}

/** A port is something that anybody may implement. */
@Injectable()
class PaperValidator extends TokenValidator {
  override async validate(token: string): Promise<Validation> {
    if (token === 'eater') return { active: true, principal: principal(['cookies:eat']) };
    if (token === 'baker') return { active: true, principal: principal(['cookies:eat', 'cookies:bake']) };
    if (token === 'stranger')
      return { active: true, principal: principal(['cookies:eat'], ['https://other']) };
    if (token === 'fault') throw new NoVerdict('unreachable', 'The authority is away.');
    return { active: false, reason: 'unknown' };
  }
}

const challengeOf = (answer: RawAnswer): object => bearerChallenge(answer.header('www-authenticate'));
const codeOf = ({ body }: RawAnswer): unknown => (JSON.parse(body) as { error: unknown }).error;

describe.each(PLATFORMS)('an API of one’s own under %s', (platform) => {
  let api: OwnApi;

  const ask = (method: string, path: string, token?: string): Promise<RawAnswer> =>
    exchange(api.url, {
      method,
      path,
      headers: ['Host: test', ...(token === undefined ? [] : [`Authorization: Bearer ${token}`])],
    });

  beforeAll(async () => {
    api = await startOwnApi(platform, {
      realm: 'Bakery',
      audience: AUDIENCE,
      resourceMetadata: METADATA,
      validator: new PaperValidator(),
    });
  });

  afterAll(() => api.close());

  it('200 with a good token, and the answer is not stored', async () => {
    const answer = await ask('GET', '/cookies', 'eater');
    expect([answer.status, answer.body]).toEqual([200, '["Cookie","Cookie","Cookie"]']);
    expect(answer.header('cache-control')).toBe('no-store');
    expect(answer.header('www-authenticate')).toBeNull();
  });

  it('but the API may say itself how long an answer is good', async () => {
    expect((await ask('GET', '/cached', 'eater')).header('cache-control')).toBe('private, max-age=5');
  });

  it('200 for HEAD, without a body; 401 without a token', async () => {
    const head = await ask('HEAD', '/cookies', 'eater');
    expect([head.status, head.body]).toEqual([200, '']);
    const refused = await ask('HEAD', '/cookies');
    expect([refused.status, refused.body]).toEqual([401, '']);
    expect(challengeOf(refused)).toEqual(challengeOf(await ask('GET', '/cookies')));
  });

  it('401 without a token: a challenge without error', async () => {
    const answer = await ask('GET', '/cookies');
    expect([answer.status, codeOf(answer)]).toEqual([401, 'unauthorized']);
    expect(challengeOf(answer)).toEqual({
      realm: 'Bakery',
      scope: 'cookies:eat',
      resource_metadata: METADATA,
    });
    expect(answer.header('cache-control')).toBe('no-store');
  });

  it('401 for a token that does not count, and for one that is meant for another API, alike', async () => {
    const dead = await ask('GET', '/cookies', 'dead');
    expect([dead.status, codeOf(dead)]).toEqual([401, 'invalid_token']);
    expect(challengeOf(dead)).toMatchObject({ realm: 'Bakery', error: 'invalid_token' });
    const stranger = await ask('GET', '/cookies', 'stranger');
    expect([stranger.status, stranger.body]).toEqual([401, dead.body]);
    expect(challengeOf(stranger)).toEqual(challengeOf(dead));
  });

  it('403 names all the scope that is wanted', async () => {
    const answer = await ask('POST', '/cookies', 'eater');
    expect([answer.status, codeOf(answer)]).toEqual([403, 'insufficient_scope']);
    expect(challengeOf(answer)).toMatchObject({
      error: 'insufficient_scope',
      scope: 'cookies:eat cookies:bake',
    });
    expect((await ask('POST', '/cookies', 'baker')).status).toBe(201);
  });

  it('400 for a malformed header, a repeated one, and a token in two places', async () => {
    const answers = await Promise.all([
      ask('GET', '/cookies', 'eater x'),
      ask('GET', '/cookies?access_token=eater', 'eater'),
      exchange(api.url, {
        path: '/cookies',
        headers: ['Host: test', 'Authorization: Bearer eater', 'Authorization: Bearer eater'],
      }),
    ]);
    for (const answer of answers) {
      expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid_request']);
      expect(challengeOf(answer)).toMatchObject({ error: 'invalid_request' });
    }
  });

  it('503 without a verdict, never 401', async () => {
    const answer = await ask('GET', '/cookies', 'fault');
    expect([answer.status, codeOf(answer)]).toEqual([503, 'temporarily_unavailable']);
    expect(answer.header('www-authenticate')).toBeNull();
    expect(Number(answer.header('retry-after'))).toBeGreaterThan(0);
    expect(answer.body).not.toContain('away');
  });

  it('@CurrentPrincipal() is who asks; a route without @RequireScope wants a token all the same', async () => {
    expect(JSON.parse((await ask('GET', '/me', 'eater')).body)).toEqual(principal(['cookies:eat']));
    expect((await ask('GET', '/me')).status).toBe(401);
  });

  it('@Public() opens a route and a controller, to bad tokens too', async () => {
    for (const path of ['/menu', '/open'])
      for (const token of [undefined, 'eater', 'dead', 'fault'])
        expect((await ask('GET', path, token)).status).toBe(200);
  });

  it('@CurrentPrincipal() on a public route is a mistake, not somebody', async () => {
    expect((await ask('GET', '/nobody', 'eater')).status).toBe(500);
  });

  it('the challenge survives a catch-all filter of the API’s own', async () => {
    const other = await startOwnApi(
      platform,
      { realm: 'Bakery', validator: { useClass: PaperValidator } },
      (app) => app.useGlobalFilters(new CatchAll()),
    );
    const refused = await exchange(other.url, { path: '/cookies' });
    expect([refused.status, JSON.parse(refused.body)]).toEqual([401, { message: expect.any(String) }]);
    expect(challengeOf(refused)).toEqual({ realm: 'Bakery', scope: 'cookies:eat' });
    await other.close();
  });

  it('a validator may be made from what other modules export', async () => {
    @Module({ providers: [PaperValidator], exports: [PaperValidator] })
    class PaperModule {}

    const other = await startOwnApi(platform, {
      realm: 'Bakery',
      imports: [PaperModule],
      validator: { useFactory: (paper: PaperValidator) => paper, inject: [PaperValidator] },
    });
    const headers = ['Host: test', 'Authorization: Bearer stranger'];
    // without an audience of its own, the API takes every token of the authority
    expect((await exchange(other.url, { path: '/cookies', headers })).status).toBe(200);
    await other.close();
  });
});
