import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { cancelled } from '../support/locks.js';
import { takeAway, type Outage } from '../support/outage.js';
import { bearerChallenge, parseChallenges } from '../support/challenge-parser.js';
import { exchange, pipeline, type RawAnswer } from '../support/raw-http.js';
import { PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';
import { forged, genuine, unpack } from '../support/token-smith.js';

/** A name that only survives a correct quoted-string (RFC 9110 §5.6.4). */
const REALM = 'The "Cookie" Factory \\ Ltd, error="none"';
/** The rest of every challenge, from configuration (RFC 9728 §5.1). */
const FIXED = {
  realm: REALM,
  resource_metadata: 'http://127.0.0.1:3000/.well-known/oauth-protected-resource',
};
const COOKIES = '["Cookie","Cookie","Cookie"]';

let keks: TestApp;
let token: string;

const eat = (...lines: string[]): Promise<RawAnswer> =>
  exchange(keks.url, { path: '/cookies', headers: ['Host: test', ...lines] });
const bearer = (value: string): string => `Authorization: Bearer ${value}`;

beforeAll(async () => {
  keks = await startTestApp({ REALM });
  await keks.addUser('CookieDestroyer');
  token = await keks.login('CookieDestroyer');
});

afterAll(() => keks.close());

function expectError(answer: RawAnswer, status: number, error: string): void {
  expect([answer.status, JSON.parse(answer.body)]).toEqual([
    status,
    { error, error_description: expect.stringMatching(/^[A-Z][^\n]{10,140}[.>"]$/) },
  ]);
  expect(answer.header('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.header('cache-control')).toBe('no-store');
}

function expectUnauthorized(answer: RawAnswer): void {
  expectError(answer, 401, 'unauthorized');
  expect(bearerChallenge(answer.header('www-authenticate'))).toEqual({ ...FIXED, scope: 'cookies:eat' });
}

/** RFC 6750 §3: `error_description` is there for people, and says the same in header and body. */
function expectChallenge(answer: RawAnswer, status: number, error: string, more: object = {}): void {
  expectError(answer, status, error);
  const { error_description } = JSON.parse(answer.body) as { error_description: string };
  const challenge = bearerChallenge(answer.header('www-authenticate'));
  expect(challenge).toEqual({ ...FIXED, error, error_description, ...more });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** What a test plants in the database, so that a refusal cannot be for lack of a row. */
async function plant(planted: string, like: string): Promise<void> {
  const { rowCount } = await keks.database.client.query(
    `INSERT INTO access_tokens (digest, expires_at, grant_id, scope, audience, format)
     SELECT $1, to_timestamp($2), grant_id, scope, audience, format FROM access_tokens WHERE digest = $3`,
    [digest(planted), unpack(planted).expiresAt, digest(like)],
  );
  expect(rowCount).toBe(1);
}

describe('GET /cookies', () => {
  describe('200', () => {
    it('with a token in the header, and the answer is not stored (RFC 6750 §5.3)', async () => {
      const answer = await eat(bearer(token));
      expect([answer.status, answer.body]).toEqual([200, COOKIES]);
      expect(answer.header('cache-control')).toBe('no-store');
      expect(answer.header('www-authenticate')).toBeNull();
    });

    it.each(['bearer', 'BEARER', 'bEaReR'])('for the scheme spelled %s (RFC 9110 §11.1)', async (scheme) => {
      expect((await eat(`Authorization: ${scheme} ${token}`)).status).toBe(200);
      expect((await eat(`aUTHORIZATION: ${scheme} ${token}`)).status).toBe(200);
    });

    it('with more than one space after the scheme, and around the value (1*SP, RFC 6750 §2.1)', async () => {
      expect((await eat(`Authorization: Bearer    ${token}`)).status).toBe(200);
      expect((await eat(`Authorization:Bearer ${token}`)).status).toBe(200);
      expect((await eat(`Authorization: \t Bearer ${token} \t`)).status).toBe(200);
    });
  });

  describe('401 unauthorized', () => {
    it('without credentials: a challenge with parameters and without error (RFC 6750 §3, §3.1)', async () => {
      expectUnauthorized(await eat());
    });

    it.each([
      ['Basic', 'Basic Q29va2llOlUrMUYzNkE='],
      ['Basic without anything', 'Basic'],
      ['Digest', 'Digest username="a", uri="/cookies"'],
      ['one that begins like DPoP', 'DPoPToken kat_x'],
      ['one that begins like Bearer', 'BearerToken kat_x'],
      ['one that ends like Bearer', 'XBearer kat_x'],
      ['one with all characters of a token', "!#$%&'*+-.^_`|~9Az abc"],
    ])('with another scheme: %s', async (_, value) => {
      expectUnauthorized(await eat(`Authorization: ${value}`));
    });

    it('is the same, byte by byte, with and without another scheme', async () => {
      expect((await eat('Authorization: Basic Zm9v')).comparable).toBe((await eat()).comparable);
    });
  });

  describe('a token anywhere but in the header is not seen (RFC 9700 §4.3.2)', () => {
    it.each(['access_token', 'token', 'bearer', 'access%5Ftoken'])(
      '401 for it in the query: %s',
      async (name) => {
        const path = `/cookies?${name}=${token}`;
        expectUnauthorized(await exchange(keks.url, { path }));
      },
    );

    it('401 for it in a cookie', async () => {
      expectUnauthorized(
        await eat(`Cookie: access_token=${token}; token=${token}; Authorization="Bearer ${token}"`),
      );
    });

    it('401 for it in a form, a JSON body, and headers of other names', async () => {
      const form = ['Host: test', 'Content-Type: application/x-www-form-urlencoded'];
      expectUnauthorized(
        await exchange(keks.url, { path: '/cookies', headers: form, body: `access_token=${token}` }),
      );
      const json = ['Host: test', 'Content-Type: application/json'];
      expectUnauthorized(
        await exchange(keks.url, {
          path: '/cookies',
          headers: json,
          body: JSON.stringify({ access_token: token }),
        }),
      );
      expectUnauthorized(
        await eat(
          `Proxy-Authorization: Bearer ${token}`,
          `X-Access-Token: ${token}`,
          `X-Authorization: Bearer ${token}`,
          `X-Forwarded-Authorization: Bearer ${token}`,
        ),
      );
    });
  });

  describe('400 invalid_request', () => {
    it.each([
      ['the scheme alone', 'Bearer'],
      ['the scheme and spaces', 'Bearer   '],
      ['a tab after the scheme', 'Bearer\tTOKEN'],
      ['a tab among the spaces', 'Bearer \tTOKEN'],
      ['no space', 'Bearer:TOKEN'],
      ['something after the token', 'Bearer TOKEN x'],
      ['a parameter after the token', 'Bearer TOKEN, realm="x"'],
      ['another scheme after the token', 'Bearer TOKEN, Basic Zm9v'],
      ['another scheme after a semicolon', 'Bearer TOKEN; Basic Zm9v'],
      ['two tokens', 'Bearer TOKEN TOKEN'],
      ['two tokens with a comma', 'Bearer TOKEN,TOKEN'],
      ['Bearer twice', 'Bearer Bearer TOKEN'],
      ['a token in quotes', 'Bearer "TOKEN"'],
      ['a parameter instead of the token', 'Bearer token=TOKEN'],
      ['padding before the token', 'Bearer =TOKEN'],
      ['padding alone', 'Bearer =='],
      ['a percent sign', 'Bearer TOKEN%20'],
      ['a character of Latin-1', 'Bearer TOKEN\xe9'],
      ['a character of UTF-8', `Bearer ${Buffer.from('🍪').toString('latin1')}`],
      ['an empty header', ''],
      ['a quoted scheme', '"Bearer" TOKEN'],
      ['a comma first', ', Bearer TOKEN'],
    ])('for %s', async (_, value) => {
      const answer = await eat(`Authorization: ${value.replaceAll('TOKEN', token)}`);
      expectChallenge(answer, 400, 'invalid_request');
    });

    it('for the header and the query at once: two methods (RFC 6750 §2)', async () => {
      for (const query of [
        `access_token=${token}`,
        'access_token=x',
        'a=b&access_token=x',
        'access_token=',
      ]) {
        const path = `/cookies?${query}`;
        const answer = await exchange(keks.url, { path, headers: ['Host: test', bearer(token)] });
        expectChallenge(answer, 400, 'invalid_request');
      }
    });

    it('but 200 for a query that only looks like it', async () => {
      for (const query of ['my_access_token=x', 'a=access_token', 'access_tokens=x'])
        expect(
          (await exchange(keks.url, { path: `/cookies?${query}`, headers: ['Host: test', bearer(token)] }))
            .status,
        ).toBe(200);
    });

    it('for a repeated header line, whichever line is the good one (RFC 9110 §5.3)', async () => {
      const cases = [
        [bearer(token), bearer(token)],
        [bearer(token), 'Authorization: Basic Zm9v'],
        ['Authorization: Basic Zm9v', bearer(token)],
        [bearer('x'), 'X-Between: 1', `AUTHORIZATION: Bearer ${token}`],
        [bearer(token), 'Authorization:'],
      ];
      for (const lines of cases) expectChallenge(await eat(...lines), 400, 'invalid_request');
    });

    it('for two Host lines (RFC 9112 §3.2)', async () => {
      expectError(await eat('Host: other', bearer(token)), 400, 'invalid_request');
    });
  });

  describe('401 invalid_token', () => {
    const dead: [string, () => Promise<string> | string][] = [
      ['garbage', () => 'x'],
      ['garbage in the form of a JWT', () => 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
      ['garbage with all characters of b64token', () => 'aZ09-._~+/=='],
      ['8 KB of garbage', () => 'x'.repeat(8_192)],
      ['a token with one character too few', () => token.slice(0, -1)],
      ['a token with its case changed', () => token.toUpperCase()],
      ['a token with padding', () => `${token}=`],
      ['a wrong checksum', () => token.slice(0, -6) + (token.endsWith('000000') ? '000001' : '000000')],
      ['an unknown token', () => genuine('kat_', keks.clock.seconds() + 60, keks.app.get(TokenKeys).current)],
      [
        'an unknown key',
        async () => {
          const other = forged(token, { keyId: unpack(token).keyId ^ 0xff });
          await plant(other, token);
          return other;
        },
      ],
      [
        'a forged MAC',
        async () => {
          const other = forged(token, { mac: Buffer.alloc(8) });
          await plant(other, token);
          return other;
        },
      ],
      [
        'a forged expiry',
        async () => {
          const other = forged(token, { expiresAt: unpack(token).expiresAt + 3_600 });
          await plant(other, token);
          return other;
        },
      ],
      [
        'a forged prefix',
        async () => {
          const other = forged(
            genuine('krt_', unpack(token).expiresAt, keks.app.get(TokenKeys).current),
            {},
            'kat_',
          );
          await plant(other, token);
          return other;
        },
      ],
      ...(['krt_', 'kak_', 'kcs_'] as const).map((prefix): [string, () => Promise<string>] => [
        `a genuine token of the wrong kind or table: ${prefix}`,
        async () => {
          const other = genuine(prefix, unpack(token).expiresAt, keks.app.get(TokenKeys).current);
          await plant(other, token);
          return other;
        },
      ]),
      [
        'a wrong audience',
        async () => {
          const other = await keks.login('CookieDestroyer');
          await keks.database.client.query(
            `UPDATE access_tokens SET audience = 'https://other' WHERE digest = $1`,
            [digest(other)],
          );
          return other;
        },
      ],
      [
        'a revoked token',
        async () => {
          const other = await keks.login('CookieDestroyer');
          expect((await eat(bearer(other))).status).toBe(200);
          await post(keks.url, '/revoke', { token: other });
          return other;
        },
      ],
      [
        'a token whose grant is revoked',
        async () => {
          const other = await keks.login('CookieDestroyer');
          await keks.database.client.query(
            `UPDATE grants SET revoked_at = now() WHERE id = (SELECT grant_id FROM access_tokens WHERE digest = $1)`,
            [digest(other)],
          );
          return other;
        },
      ],
      [
        'a token whose grant has ended',
        async () => {
          const other = await keks.login('CookieDestroyer');
          await keks.database.client.query(
            `UPDATE grants SET expires_at = now() - interval '1 s'
              WHERE id = (SELECT grant_id FROM access_tokens WHERE digest = $1)`,
            [digest(other)],
          );
          return other;
        },
      ],
    ];

    let reference: string;
    beforeAll(async () => {
      reference = (await eat(bearer(genuine('kat_', 1, keks.app.get(TokenKeys).current)))).comparable;
    });

    it.each(dead)('for %s, byte by byte as for any other', async (_, make) => {
      const answer = await eat(bearer(await make()));
      expectChallenge(answer, 401, 'invalid_token');
      expect(answer.comparable).toBe(reference);
    });

    it('on and after the very second of its expiry, without leeway (RFC 7519 §4.1.4)', async () => {
      const other = await keks.login('CookieDestroyer');
      const { expiresAt } = unpack(other);
      keks.clock.goTo(expiresAt - 5);
      expect((await eat(bearer(other))).status).toBe(200);
      keks.clock.goTo(expiresAt);
      const answer = await eat(bearer(other));
      keks.clock.advance(-4_000);
      token = await keks.login('CookieDestroyer');
      expectChallenge(answer, 401, 'invalid_token');
      expect(answer.comparable).toBe(reference);
    });

    it('at POST /validate, with the same challenge', async () => {
      const answer = await post(keks.url, '/validate', { token: 'x' });
      expect(answer.status).toBe(401);
      expect(bearerChallenge(answer.headers.get('www-authenticate'))).toMatchObject({
        realm: REALM,
        error: 'invalid_token',
      });
    });

    it('while a failed login has a challenge without error: no token was presented', async () => {
      const answer = await post(keks.url, '/issue', { user: 'CookieDestroyer', password: 'x' });
      expect([answer.status, answer.body]).toMatchObject([401, { error: 'invalid_credentials' }]);
      expect(bearerChallenge(answer.headers.get('www-authenticate'))).toEqual({ realm: REALM });
    });
  });

  describe('403 insufficient_scope', () => {
    it('names the scope that is wanted (RFC 6750 §3.1)', async () => {
      const narrow = await keks.login('CookieDestroyer', 'keks:account');
      expectChallenge(await eat(bearer(narrow)), 403, 'insufficient_scope', { scope: 'cookies:eat' });
    });

    it('for scopes that only resemble it: compared whole and case-sensitively', async () => {
      await keks.addUser('Nearly', 'cookies cookies:eat:all COOKIES:EAT cookies:ea xcookies:eat');
      expectChallenge(await eat(bearer(await keks.login('Nearly'))), 403, 'insufficient_scope', {
        scope: 'cookies:eat',
      });
    });

    it('comes after invalid_token: a dead token learns nothing of scopes', async () => {
      const narrow = await keks.login('CookieDestroyer', 'keks:account');
      await post(keks.url, '/revoke', { token: narrow });
      expectChallenge(await eat(bearer(narrow)), 401, 'invalid_token');
    });
  });

  it('says in every answer what configuration says, never Host or a forwarded name', async () => {
    const lies = ['Host: evil.example', 'X-Forwarded-Host: evil.example', 'Forwarded: host=evil.example'];
    const origin = ['Origin: https://evil.example', 'Referer: https://evil.example/'];
    for (const extra of [[], [bearer('x')], ['Authorization: Bearer'], [bearer(token)]]) {
      const answer = await exchange(keks.url, { path: '/cookies', headers: [...lies, ...origin, ...extra] });
      expect(answer.comparable).not.toContain('evil');
    }
  });

  it('repeats nothing of what came in', async () => {
    const answers = await Promise.all([
      eat(bearer('MarkerOfMine')),
      eat('Authorization: Bearer Marker OfMine'),
      eat('Authorization: MarkerOfMine x'),
      exchange(keks.url, {
        path: '/cookies?access_token=MarkerOfMine',
        headers: ['Host: test', bearer('x')],
      }),
    ]);
    for (const { comparable } of answers) expect(comparable).not.toContain('Marker');
  });

  it('keeps the answers of pipelined requests apart: each token its own verdict', async () => {
    const narrow = await keks.login('CookieDestroyer', 'keks:account');
    const wanted: [string, number][] = [
      [bearer(token), 200],
      [bearer(narrow), 403],
      [bearer('x'), 401],
      ['X: y', 401],
      [bearer(token), 200],
    ];
    const requests = Array.from({ length: 12 }, () => wanted).flat();
    const answers = await pipeline(
      keks.url,
      requests.map(([line]) => `GET /cookies HTTP/1.1\r\nHost: test\r\n${line}\r\n`),
    );
    expect(answers.map(({ status }) => status)).toEqual(requests.map(([, status]) => status));
  });
});

describe('HEAD /cookies', () => {
  it('200 without a body, with the header of GET', async () => {
    const headers = ['Host: test', bearer(token)];
    const head = await exchange(keks.url, { method: 'HEAD', path: '/cookies', headers });
    const full = await exchange(keks.url, { path: '/cookies', headers });
    expect(head.comparable).toBe(full.comparable.slice(0, -COOKIES.length));
  });

  it('401 with the challenge of GET and without a body', async () => {
    for (const headers of [['Host: test'], ['Host: test', bearer('x')]]) {
      const head = await exchange(keks.url, { method: 'HEAD', path: '/cookies', headers });
      const full = await exchange(keks.url, { path: '/cookies', headers });
      expect([head.status, head.body]).toEqual([401, '']);
      expect(head.header('www-authenticate')).toBe(full.header('www-authenticate'));
    }
  });
});

describe('OPTIONS /cookies', () => {
  it('204 with Allow, for anybody', async () => {
    for (const headers of [['Host: test'], ['Host: test', bearer('x')]]) {
      const answer = await exchange(keks.url, { method: 'OPTIONS', path: '/cookies', headers });
      expect([answer.status, answer.header('allow'), answer.body]).toEqual([204, 'GET, HEAD, OPTIONS', '']);
    }
  });
});

describe('another method at /cookies', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '405 with Allow for %s, before any look at credentials',
    async (method) => {
      for (const lines of [[], [bearer('x')], [bearer(token)]]) {
        const answer = await exchange(keks.url, {
          method,
          path: '/cookies',
          headers: ['Host: test', ...lines],
        });
        expectError(answer, 405, 'method_not_allowed');
        expect(answer.header('allow')).toBe('GET, HEAD, OPTIONS');
        expect(answer.header('www-authenticate')).toBeNull();
      }
    },
  );

  it.each(['/issue', '/validate', '/revoke'])('405 with Allow: OPTIONS, POST for GET %s', async (path) => {
    const answer = await exchange(keks.url, { path, headers: ['Host: test', bearer(token)] });
    expectError(answer, 405, 'method_not_allowed');
    expect(answer.header('allow')).toBe('OPTIONS, POST');
  });
});

describe('an address that is nobody’s', () => {
  it('404, with a token and without', async () => {
    for (const path of ['/cookie', '/cookies/1', '/COOKIES', '//cookies'])
      for (const lines of [[], [bearer(token)]])
        expectError(await exchange(keks.url, { path, headers: ['Host: test', ...lines] }), 404, 'not_found');
  });

  it('a trailing slash, a dot segment and an escape lead to the same guard or to nothing, never past it', async () => {
    for (const path of [
      '/cookies/',
      '/./cookies',
      '/x/../cookies',
      '/%63ookies',
      '/cookies;a=b',
      '/cookies%2f',
      '/cookies#',
    ])
      expect((await exchange(keks.url, { path })).status, path).not.toBe(200);
  });
});

describe('POST /issue', () => {
  it('answers with no-store and no-cache (RFC 6749 §5.1)', async () => {
    const { headers } = await post(keks.url, '/issue', { user: 'CookieDestroyer', password: PASSWORD });
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  });
});

function expectUnavailable(answer: RawAnswer): void {
  expectError(answer, 503, 'temporarily_unavailable');
  expect(Number(answer.header('retry-after'))).toBeGreaterThan(0);
  expect(answer.header('www-authenticate')).toBeNull();
}

const say = (path: string, body: object): Promise<RawAnswer> =>
  exchange(keks.url, {
    method: 'POST',
    path,
    headers: ['Host: test', 'Content-Type: application/json'],
    body: JSON.stringify(body),
  });

/** Whatever needs the database says so and gives no verdict. What needs none goes on. */
async function expectNoVerdicts(): Promise<void> {
  const unknown = genuine('kat_', keks.clock.seconds() + 60, keks.app.get(TokenKeys).current);
  expectUnavailable(await eat(bearer(token)));
  expectUnavailable(await eat(bearer(unknown)));
  expectUnavailable(await say('/validate', { token }));
  expectUnavailable(await say('/validate', { token: unknown }));
  expectUnavailable(await say('/revoke', { token }));
  expectUnauthorized(await eat());
  expectChallenge(await eat(bearer('x')), 401, 'invalid_token');
  expect((await exchange(keks.url, { path: '/health/live' })).status).toBe(200);
}

async function expectRecovery(): Promise<void> {
  await expect.poll(async () => (await eat(bearer(token))).status, { timeout: 90_000 }).toBe(200);
  expect((await exchange(keks.url, { path: '/health/ready' })).status).toBe(200);
  expect((await say('/validate', { token })).status).toBe(200);
  expect((await say('/issue', { user: 'CookieDestroyer', password: PASSWORD })).status).toBe(200);
}

describe('503', () => {
  let outage: Outage | undefined;

  it('with Retry-After and never 401 while the database is away; all is well again when it is back', async () => {
    outage = await takeAway(keks.database);
    await expectNoVerdicts();
    expectUnavailable(await say('/issue', { user: 'CookieDestroyer', password: PASSWORD }));
    expectUnavailable(await say('/issue', { user: 'nobody', password: 'x' }));
    expectUnavailable(await exchange(keks.url, { path: '/health/ready' }));
    const many = await Promise.all(Array.from({ length: 50 }, () => eat(bearer(token))));
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([503]));
    await outage.end();
    await expectRecovery();
  });

  it('when the database takes too long', async () => {
    const { client } = keks.database;
    await client.query('BEGIN; LOCK TABLE access_tokens, grants, users IN ACCESS EXCLUSIVE MODE');
    try {
      await cancelled(keks.database, expectNoVerdicts());
      const login = say('/issue', { user: 'CookieDestroyer', password: PASSWORD });
      expectUnavailable(await cancelled(keks.database, login));
    } finally {
      await client.query('ROLLBACK');
    }
    await expectRecovery();
  });

  it('when the primary takes no writes: a revoke that is not certain is not acknowledged (RFC 7009 §2.2.1)', async () => {
    const { client } = keks.database;
    // what a primary says that has become a standby, or was told to take nothing more
    await client.query(`
      CREATE FUNCTION takes_no_writes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE 'cannot execute in a read-only transaction' USING ERRCODE = 'read_only_sql_transaction'; END $$;
      CREATE TRIGGER takes_no_writes BEFORE INSERT OR UPDATE ON access_tokens
        FOR EACH STATEMENT EXECUTE FUNCTION takes_no_writes();`);
    expectUnavailable(await say('/revoke', { token }));
    expectUnavailable(await say('/issue', { user: 'CookieDestroyer', password: PASSWORD }));
    expect((await eat(bearer(token))).status).toBe(200);
    await client.query('DROP TRIGGER takes_no_writes ON access_tokens; DROP FUNCTION takes_no_writes()');
    await expectRecovery();
  });

  it('a revoke that was answered 503 has not half happened: the token is alive, and can be revoked', async () => {
    const other = await keks.login('CookieDestroyer');
    outage = await takeAway(keks.database);
    expectUnavailable(await say('/revoke', { token: other }));
    await outage.end();
    await expect.poll(async () => (await eat(bearer(other))).status, { timeout: 90_000 }).toBe(200);
    expect((await say('/revoke', { token: other })).status).toBe(200);
    expect((await eat(bearer(other))).status).toBe(401);
  });
});

describe('every 401, 403 and 400 of the guard', () => {
  it('is read by a strict parser, whatever was sent', async () => {
    const values = Array.from({ length: 40 }, () =>
      randomBytes(12)
        .toString('latin1')
        .replaceAll(/[\r\n\0]/g, 'x'),
    );
    for (const value of values) {
      const answer = await eat(`Authorization: Bearer ${value}`);
      expect([400, 401]).toContain(answer.status);
      const field = answer.header('www-authenticate');
      // what Node's own parser refuses has no challenge
      if (field !== null || answer.status === 401) expect(parseChallenges(field ?? '')).toHaveLength(1);
    }
  });
});
