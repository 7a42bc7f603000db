import { getRepositoryToken } from '@nestjs/typeorm';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import type { Repository } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthService } from '../../src/auth/auth.service.js';
import { verifierOf } from '../../src/auth/keys/es256-key.js';
import { JwtReader } from '../../src/auth/tokens/jwt/jwt-reader.js';
import { KeyRing } from '../../src/auth/keys/key-ring.js';
import { SigningKey } from '../../src/auth/keys/signing-key.entity.js';
import { ProvenJwts } from '../../src/auth/tokens/jwt/proven-jwts.js';
import { TokenMint } from '../../src/auth/tokens/token-mint.js';
import { Clock } from '../../src/database/clock.js';
import { Database } from '../../src/database/database.js';
import { Unavailable } from '../../src/http/errors/unavailable.js';
import {
  base64url,
  claimsOf,
  headerOf,
  malleated,
  signed,
  storedKey,
  type Json,
  type StoredKey,
} from '../support/forge.js';
import { startInstance } from '../support/instance.js';
import { get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

const USER = 'CookieDestroyer';

let keks: TestApp;
let key: StoredKey;
/** A living one, new for each test, and what it is made of. */
let token: string;
let header: Json;
let claims: Json;

async function issue(extra: object = {}): Promise<string> {
  const answer = await post(keks.url, '/issue', { user: USER, password: PASSWORD, format: 'jwt', ...extra });
  if (answer.status !== 200) throw new Error(`POST /issue answered ${answer.status}`);
  return (answer.body as { token: string }).token;
}

/** What POST /validate, which takes any string, and the reader say of it. */
async function verdict(candidate: string): Promise<'active' | 'dead'> {
  const { status, body } = await post(keks.url, '/validate', { token: candidate });
  if (status === 401) expect(body).toMatchObject({ error: 'invalid_token' });
  else expect(status).toBe(200);
  return status === 200 ? 'active' : 'dead';
}

async function reading(candidate: string) {
  const read = await keks.app.get(JwtReader).read(candidate);
  return 'refused' in read ? read.refused : 'read';
}

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser(USER);
  await issue();
  key = await storedKey(keks.database, keks.app);
});

beforeEach(async () => {
  token = await issue();
  header = headerOf(token);
  claims = claimsOf(token);
});

afterAll(() => keks.close());

describe('POST /issue {"format":"jwt"}', () => {
  it('gives a token that jose verifies with the published keys (RFC 9068 §4)', async () => {
    const jwks = (await get(keks.url, '/.well-known/jwks.json')).body as JSONWebKeySet;
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), {
      issuer: keks.config.ISSUER,
      audience: keks.config.AUDIENCE,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti', 'scope'],
      currentDate: new Date(keks.clock.now()),
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: key.kid });
    const { rows } = await keks.database.client.query<{ id: string }>('SELECT id FROM users');
    expect(payload).toEqual({
      iss: 'http://127.0.0.1:3000',
      aud: 'http://127.0.0.1:3000',
      sub: rows[0]?.id,
      client_id: 'keks',
      scope: 'cookies:eat keks:account',
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 3_600,
      // of the login: what guards with a lease are told when it ends
      sid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{32}$/),
    });
  });

  it('gives a token that opens GET /cookies', async () => {
    const eaten = await get(keks.url, '/cookies', token);
    expect(eaten.status).toBe(200);
    expect(eaten.body).toEqual(['Cookie', 'Cookie', 'Cookie']);
  });

  it('stores the digest of its jti and its exp, and nothing of the token', async () => {
    const digest = createHash('sha256').update(String(claims['jti'])).digest();
    const { rows } = await keks.database.client.query(
      'SELECT t::text AS text, expires_at, format FROM access_tokens t WHERE digest = $1',
      [digest],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ expires_at: new Date(Number(claims['exp']) * 1_000), format: 'jwt' });
    expect(rows[0].text).not.toContain(claims['jti']);
  });

  it('gives each token another jti', async () => {
    const others = await Promise.all(Array.from({ length: 20 }, () => issue()));
    expect(new Set(others.map((one) => claimsOf(one)['jti'])).size).toBe(20);
  });

  it('leaves out a scope that is empty (RFC 6749 §3.3)', async () => {
    const request = { subject: 'c', clientId: 'c', scope: '', audience: 'a', format: 'jwt' } as const;
    const minted = await keks.app.get(TokenMint).access(request);
    expect(claimsOf(minted.token)).not.toHaveProperty('scope');
    expect(await reading(minted.token)).toBe('read');
  });

  it('refuses a scope so long that the token would fit in no header', async () => {
    const scope = Array.from({ length: 100 }, (_, at) => `${'s'.repeat(90)}${at}`).join(' ');
    await keks.addUser('Many', scope);
    const answer = await post(keks.url, '/issue', { user: 'Many', password: PASSWORD, format: 'jwt' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  });
});

describe('a JWT that was revoked', () => {
  it('is dead at the API and at the authority', async () => {
    expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
    const refused = await get(keks.url, '/cookies', token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await verdict(token)).toBe('dead');
  });

  it('is dead however its signature is spelled: (r, n - s) verifies too', async () => {
    expect(await verdict(malleated(token))).toBe('active');
    await post(keks.url, '/revoke', { token });
    expect(await verdict(malleated(token))).toBe('dead');
  });

  it('is revoked through (r, n - s) as well', async () => {
    await post(keks.url, '/revoke', { token: malleated(token) });
    expect(await verdict(token)).toBe('dead');
  });

  it('leaves others alone', async () => {
    const other = await issue();
    await post(keks.url, '/revoke', { token });
    expect(await verdict(other)).toBe('active');
  });
});

describe('another spelling of a living JWT is refused (RFC 7515 §2, §5.2)', () => {
  const spellings: [string, (token: string) => string][] = [
    ['padding behind the signature', (text) => `${text}==`],
    ['padding in a part', (text) => text.replace('.', '=.')],
    ['a space before it', (text) => ` ${text}`],
    ['a line end behind it', (text) => `${text}\n`],
    ['white space between the parts', (text) => text.replace('.', ' .')],
    ['the alphabet of base64', (text) => text.replace(/[-_]/g, (char) => (char === '-' ? '+' : '/'))],
    ['a bit in the spare bits of the signature', (text) => text.slice(0, -1) + nextSpelling(text.slice(-1))],
    ['a fourth part', (text) => `${text}.`],
    ['a fourth part that is not empty', (text) => `${text}.AA`],
    ['five parts, as encrypted ones have', (text) => `${text}.AA.AA`],
    ['two parts', (text) => text.split('.').slice(0, 2).join('.')],
    ['no signature', (text) => `${text.split('.').slice(0, 2).join('.')}.`],
    ['an empty header', (text) => text.replace(/^[^.]*/, '')],
    ['an empty payload', (text) => text.replace(/\.[^.]*\./, '..')],
    ['a dot before it', (text) => `.${text}`],
    ['percent-encoding', (text) => text.replace('.', '%2E')],
    ['the scheme before it', (text) => `Bearer ${text}`],
    ['the signature in DER', (text) => derSignature(text)],
    [
      'a signature with leading zeros',
      (text) => withSignature(text, (s) => Buffer.concat([Buffer.alloc(2), s])),
    ],
    ['a signature cut short', (text) => withSignature(text, (s) => s.subarray(0, 63))],
    ['the JSON serialization', (text) => jsonSerialization(text)],
    ['a null character', (text) => `${text.slice(0, 20)}${String.fromCharCode(0)}${text.slice(20)}`],
  ];

  it.each(spellings)('%s', async (_name, respell) => {
    const other = respell(token);
    // a signature may happen to hold neither of the two characters that differ
    if (other === token) return;
    expect(await reading(other)).toBe('malformed');
    const { status } = await post(keks.url, '/validate', { token: other });
    expect([400, 401]).toContain(status);
    expect(await verdict(token)).toBe('active');
  });

  it('spare bits in header and payload', async () => {
    // as many spaces as it takes for the last character to have spare bits
    for (const at of [0, 1]) {
      const texts = [JSON.stringify(header), JSON.stringify(claims)];
      while (Buffer.byteLength(texts[at] ?? '') % 3 === 0) texts[at] += ' ';
      const loose = signed(texts[0] ?? '', texts[1] ?? '', key.privateKey);
      expect(await reading(loose)).toBe('read');
      const parts = loose.split('.');
      parts[at] = (parts[at] ?? '').slice(0, -1) + nextSpelling((parts[at] ?? '').slice(-1));
      const input = `${parts[0]}.${parts[1]}`;
      const signature = sign('sha256', Buffer.from(input), {
        key: key.privateKey,
        dsaEncoding: 'ieee-p1363',
      });
      expect(await reading(`${input}.${signature.toString('base64url')}`)).toBe('malformed');
    }
  });

  it('more than 8,192 characters', async () => {
    const padded = signed(header, { ...claims, padding: 'x'.repeat(8_192) }, key.privateKey);
    expect(await reading(padded)).toBe('malformed');
    expect(await verdict(padded)).toBe('dead');
  });
});

describe('a forged JWT with a living jti is refused', () => {
  const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });

  it('an edited payload under the old signature', async () => {
    const [head, , signature] = token.split('.');
    const edited = `${head}.${base64url({ ...claims, scope: 'keks:admin' })}.${signature}`;
    expect(await reading(edited)).toBe('forged');
    expect(await verdict(edited)).toBe('dead');
  });

  it('signed by somebody else under our kid', async () => {
    const forged = signed(header, claims, attacker.privateKey);
    expect(await reading(forged)).toBe('forged');
    expect(await verdict(forged)).toBe('dead');
  });

  it('the signature of another token', async () => {
    const other = await issue();
    const mixed = [...token.split('.').slice(0, 2), other.split('.')[2]].join('.');
    expect(await verdict(mixed)).toBe('dead');
  });

  it.each(['none', 'None', 'NONE', '', null, undefined, 0, ['ES256']])(
    'alg %j (RFC 8725 §3.2)',
    async (alg) => {
      const head = base64url({ ...header, alg });
      for (const signature of ['', token.split('.')[2], 'AA'])
        expect(await verdict(`${head}.${base64url(claims)}.${signature}`)).toBe('dead');
    },
  );

  it('alg HS256 with the public key as the secret (RFC 8725 §2.1)', async () => {
    const jwk = key.publicKey.export({ format: 'jwk' });
    const secrets = [
      key.publicKey.export({ format: 'pem', type: 'spki' }),
      key.publicKey.export({ format: 'der', type: 'spki' }),
      JSON.stringify(jwk),
      Buffer.from(jwk.x ?? '', 'base64url'),
      key.kid,
      '',
    ];
    for (const alg of ['HS256', 'HS384', 'HS512'])
      for (const secret of secrets) {
        const input = `${base64url({ ...header, alg })}.${base64url(claims)}`;
        const hash = alg.replace('HS', 'sha');
        for (const length of [32, 64]) {
          const mac = Buffer.alloc(length, createHmac(hash, secret).update(input).digest());
          expect(await verdict(`${input}.${mac.toString('base64url')}`), alg).toBe('dead');
        }
      }
  });

  it.each(['RS256', 'PS256', 'RS512'])('alg %s with a key of its own', async (alg) => {
    const input = `${base64url({ ...header, alg, jwk: rsa.publicKey.export({ format: 'jwk' }) })}.${base64url(claims)}`;
    const signature = sign('sha256', Buffer.from(input), rsa.privateKey);
    expect(await verdict(`${input}.${signature.toString('base64url')}`)).toBe('dead');
  });

  it.each(['ES384', 'ES512', 'ES256K', 'EdDSA', 'es256'])(
    'alg %s over a good ES256 signature',
    async (alg) => {
      const other = signed({ ...header, alg }, claims, key.privateKey);
      expect(await reading(other)).toBe('forged');
      expect(await verdict(other)).toBe('dead');
    },
  );

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['a number', 1],
    ['a list', ['kid']],
    ['null', null],
    ['a path', '../../../../dev/null'],
    ['SQL', "x' UNION SELECT 'a' --"],
    ['a shell', '|/bin/true'],
    ['a member of every object', '__proto__'],
    ['a method of every object', 'constructor'],
    ['of the right form but unknown', 'A'.repeat(43)],
    ['ours and a space', 'OURS '],
    ['ours in lower case', 'ours'],
  ])('kid %s', async (_name, kid) => {
    const own = { OURS: `${key.kid} `, ours: key.kid.toLowerCase() }[String(kid).trim()] ?? kid;
    for (const privateKey of [key.privateKey, attacker.privateKey]) {
      const forged = signed({ ...header, kid: own }, claims, privateKey);
      expect(await reading(forged)).toBe('forged');
      expect(await verdict(forged)).toBe('dead');
    }
  });

  it('jku, x5u, jwk and x5c are neither believed nor fetched (RFC 8725 §3.10)', async () => {
    const connections: string[] = [];
    const server = createServer((socket) => {
      connections.push('called');
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const jwk = { ...attacker.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: 'ES256' };
    for (const extra of [
      { jku: url },
      { x5u: url },
      { jwk },
      { x5c: ['MIIB'] },
      { jku: url, kid: 'A'.repeat(43) },
    ])
      expect(await verdict(signed({ ...header, ...extra }, claims, attacker.privateKey))).toBe('dead');
    expect(await verdict(signed({ ...header, jku: url, x5u: url, jwk }, claims, key.privateKey))).toBe(
      'active',
    );
    expect(connections).toEqual([]);
    server.close();
  });

  it.each([[['exp']], [['b64']], [[]], ['exp'], [null]])('crit %j (RFC 7515 §4.1.11)', async (crit) => {
    const critical = signed({ ...header, crit, b64: true }, claims, key.privateKey);
    expect(await reading(critical)).toBe('forged');
    expect(await verdict(critical)).toBe('dead');
  });

  it.each(['JWT', 'jwt', 'rt+jwt', 'at+jwt ', 'text/at+jwt', 'at+jwt;v=1', '', undefined, null, ['at+jwt']])(
    'typ %j (RFC 9068 §4)',
    async (typ) => {
      const other = signed({ ...header, typ }, claims, key.privateKey);
      expect(await reading(other)).toBe('forged');
      expect(await verdict(other)).toBe('dead');
    },
  );

  it.each(['AT+JWT', 'At+Jwt', 'application/at+jwt', 'APPLICATION/AT+JWT'])(
    'but typ %s is the same type (RFC 7515 §4.1.9)',
    async (typ) => expect(await verdict(signed({ ...header, typ }, claims, key.privateKey))).toBe('active'),
  );
});

describe('the claims of a JWT that we have signed', () => {
  const required = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'];

  it('control: signed anew it is active', async () => {
    expect(await verdict(signed(header, claims, key.privateKey))).toBe('active');
  });

  it.each(required)('without %s it is refused (RFC 9068 §2.2)', async (name) => {
    const { [name]: _left, ...others } = claims;
    const incomplete = signed(header, others, key.privateKey);
    expect(await reading(incomplete)).toBe('malformed');
    expect(await verdict(incomplete)).toBe('dead');
  });

  it.each(required)('with %s of another type it is refused', async (name) => {
    const wrong = [
      null,
      true,
      {},
      [],
      '',
      ['x'],
      ...(typeof claims[name] === 'number' ? ['9999999999', 1e300, -1, 1.5] : [7]),
    ];
    for (const value of wrong) {
      const other = signed(header, { ...claims, [name]: value }, key.privateKey);
      expect(await reading(other), JSON.stringify(value)).toBe('malformed');
      expect(await verdict(other)).toBe('dead');
    }
  });

  it('with a scope that is no string it is refused', async () => {
    for (const scope of [['cookies:eat'], null, 1, {}])
      expect(await reading(signed(header, { ...claims, scope }, key.privateKey))).toBe('malformed');
  });

  it.each(required)('with %s twice it is refused (RFC 7519 §4)', async (name) => {
    const json = JSON.stringify(claims);
    const member = `"${name}":${JSON.stringify(claims[name])}`;
    for (const doubled of [
      json.replace('{', `{${member},`),
      json.replace(/\}$/, `,${member}}`),
      json.replace(
        '{',
        `{${member.replace(name, `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`)},`,
      ),
    ])
      expect(await reading(signed(header, doubled, key.privateKey))).toBe('malformed');
  });

  it.each(['alg', 'typ', 'kid'])('with %s twice in the header it is refused (RFC 7515 §4)', async (name) => {
    const doubled = JSON.stringify(header).replace('{', `{"${name}":${JSON.stringify(header[name])},`);
    expect(await reading(signed(doubled, claims, key.privateKey))).toBe('malformed');
  });

  it.each(['[]', '"x"', 'null', '1', '{', '', '{"a":"\\ud800"}', '{"__proto__":{}}'])(
    'with %s in their place they are refused',
    async (json) => expect(await reading(signed(header, json, key.privateKey))).toBe('malformed'),
  );

  it('in bytes that are not UTF-8 they are refused', async () => {
    const bytes = Buffer.from(JSON.stringify(claims).replace('keks', 'k\u00ffks'), 'latin1');
    const input = `${base64url(header)}.${bytes.toString('base64url')}`;
    const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await reading(`${input}.${signature.toString('base64url')}`)).toBe('malformed');
  });

  it('from another issuer it is refused, were it by a slash or by case (RFC 9068 §4)', async () => {
    for (const iss of [
      'http://127.0.0.1:3000/',
      'HTTP://127.0.0.1:3000',
      'http://localhost:3000',
      'https://127.0.0.1:3000',
    ])
      expect(await reading(signed(header, { ...claims, iss }, key.privateKey)), iss).toBe('forged');
  });

  it('is not accepted on or after its exp, without leeway (RFC 7519 §4.1.4)', async () => {
    const at = Number(claims['exp']) * 1_000;
    expect(readerAt(at - 1).read(token)).toMatchObject({ kind: 'access', format: 'jwt', jti: claims['jti'] });
    expect(readerAt(at).read(token)).toMatchObject({ refused: 'expired' });
    expect(readerAt(at + 1).read(token)).toMatchObject({ refused: 'expired' });
  });

  it('made by an instance whose clock is a little ahead it is accepted, from the future it is not', () => {
    const at = Number(claims['iat']) * 1_000;
    expect(readerAt(at - 2_000).read(token)).toHaveProperty('digest');
    expect(readerAt(at - 120_000).read(token)).toEqual({ refused: 'forged' });
  });

  it('with a jti or an exp that no row has it is dead', async () => {
    for (const other of [{ jti: 'A'.repeat(32) }, { exp: Number(claims['exp']) + 1 }])
      expect(await verdict(signed(header, { ...claims, ...other }, key.privateKey))).toBe('dead');
  });

  it('say nothing: scope and subject are those of the row', async () => {
    const liar = { ...claims, scope: 'cookies:eat keks:admin', sub: 'root', client_id: 'x' };
    expect(await keks.app.get(AuthService).validate(signed(header, liar, key.privateKey))).toMatchObject({
      active: true,
      principal: {
        subject: claims['sub'],
        clientId: 'keks',
        scope: ['cookies:eat', 'keks:account'],
        audience: [keks.config.AUDIENCE],
      },
    });
  });

  it('do not help when the row has been narrowed', async () => {
    const digest = createHash('sha256').update(String(claims['jti'])).digest();
    await keks.database.client.query(`UPDATE access_tokens SET scope = 'keks:account' WHERE digest = $1`, [
      digest,
    ]);
    expect((await get(keks.url, '/cookies', token)).status).toBe(403);
  });
});

describe('a JWT is not a token of another kind', () => {
  it('its jti, its digest and its parts are no tokens', async () => {
    const digest = createHash('sha256').update(String(claims['jti'])).digest('hex');
    for (const text of [String(claims['jti']), digest, ...token.split('.')])
      expect(await verdict(text)).toBe('dead');
  });

  it('and one for another audience than it was issued for, signed by us, is dead (RFC 9068 §4)', async () => {
    const fresh = await issue();
    const payload = JSON.parse(Buffer.from(fresh.split('.')[1] ?? '', 'base64url').toString()) as object;
    const elsewhere = signed(header, { ...payload, aud: 'https://elsewhere.example' }, key.privateKey);
    expect(await verdict(fresh)).toBe('active');
    expect(await verdict(elsewhere)).toBe('dead');
  });

  it('and one that nobody issued, signed by us, is dead', async () => {
    const minted = await keks.app.get(TokenMint).access({
      subject: String(claims['sub']),
      clientId: 'keks',
      scope: 'cookies:eat',
      audience: keks.config.AUDIENCE,
      format: 'jwt',
    });
    expect(await reading(minted.token)).toBe('read');
    expect(await verdict(minted.token)).toBe('dead');
  });
});

describe('a JWT whose signature we have checked before', () => {
  let clock: TurnedClock;
  let reader: JwtReader;

  beforeEach(() => {
    clock = new TurnedClock(keks.clock.now());
    reader = new JwtReader(keks.app.get(KeyRing), clock, keks.config);
    expect(reader.read(token)).toHaveProperty('digest');
  });

  it('reads the same again, without checking it again', () => {
    const { verifier } = keks.app.get(KeyRing).find(key.kid)!;
    const verify = vi.spyOn(verifier, 'verify');
    try {
      expect(reader.read(token)).toEqual(readerAt(clock.now()).read(token));
      expect(verify).toHaveBeenCalledTimes(1); // the fresh reader
    } finally {
      verify.mockRestore();
    }
  });

  it('expires all the same', () => {
    clock.at = Number(claims['exp']) * 1_000;
    expect(reader.read(token)).toMatchObject({ refused: 'expired' });
    clock.at -= 1;
    expect(reader.read(token)).toHaveProperty('digest');
  });

  it('goes when its key retires, and when it is taken away', async () => {
    const { client } = keks.database;
    const ring = keks.app.get(KeyRing);
    await client.query('UPDATE signing_keys SET retires_at = $2 WHERE kid = $1', [
      key.kid,
      new Date(clock.now()),
    ]);
    await ring.reload();
    expect(reader.read(token)).toEqual({ refused: 'forged' });
    await client.query('UPDATE signing_keys SET retires_at = NULL, kid = $2 WHERE kid = $1', [
      key.kid,
      `${key.kid.slice(0, -4)}gone`,
    ]);
    await ring.reload();
    expect(await reader.read(token)).toEqual({ refused: 'forged' });
    await client.query('UPDATE signing_keys SET kid = $1 WHERE kid = $2', [
      key.kid,
      `${key.kid.slice(0, -4)}gone`,
    ]);
    await ring.reload();
    expect(reader.read(token)).toHaveProperty('digest');
  });

  it('and one that differs in a single character was never checked', () => {
    for (let at = 0; at < token.length; at += 7)
      expect(
        reader.read(token.slice(0, at) + nextSpelling(token.charAt(at)) + token.slice(at + 1)),
      ).not.toHaveProperty('digest');
    expect(reader.read(malleated(token))).toHaveProperty('digest'); // another text, and truly signed
  });

  it('and what was refused is not remembered as good', async () => {
    const other = signed(header, { ...claims, iss: 'http://localhost:3000' }, key.privateKey);
    for (let again = 0; again < 3; again += 1)
      expect(await reader.read(other)).toEqual({ refused: 'forged' });
    const unsigned = `${token.split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`;
    for (let again = 0; again < 3; again += 1) expect(reader.read(unsigned)).toEqual({ refused: 'forged' });
  });

  it('is forgotten in time, so that memory is bounded', () => {
    const proven = new ProvenJwts(2);
    const signer = keks.app.get(KeyRing).find(key.kid)!;
    expect(proven.keyOf('0')).toBeUndefined();
    for (let n = 0; n < 100; n += 1) {
      proven.add(`${n}`, signer);
      expect(proven.keyOf(`${n}`)).toBe(signer);
    }
    const known = Array.from({ length: 100 }, (_, n) => proven.keyOf(`${n}`)).filter(Boolean);
    expect(known).toHaveLength(8);
  });

  it('belongs to the key that signed it, however many keys there were', () => {
    const proven = new ProvenJwts(64);
    const signer = keks.app.get(KeyRing).find(key.kid)!;
    for (let n = 0; n < 300; n += 1) {
      const other = { ...signer, kid: `${n}`, verifier: verifierOf(signer.publicJwk) };
      proven.add(`${n}`, other);
      expect(proven.keyOf(`${n}`)?.verifier).toBe(other.verifier);
      expect(proven.keyOf(`${n - 1}`)?.kid ?? `${n - 1}`).toBe(`${n - 1}`);
    }
  });
});

describe('keys that are not in memory', () => {
  it('are asked for by all who want one together: a storm of unknown kids is a handful of queries', async () => {
    const find = vi.spyOn(keks.app.get<Repository<SigningKey>>(getRepositoryToken(SigningKey)), 'find');
    const storm = Array.from({ length: 200 }, withUnknownKid);
    const began = performance.now();
    const verdicts = await Promise.all(storm.map((one) => reading(one)));
    const allowed = 2 + Math.ceil((performance.now() - began) / 100);
    const queries = [...find.mock.calls];
    find.mockRestore();
    expect(new Set(verdicts)).toEqual(new Set(['forged']));
    expect(queries.length).toBeLessThanOrEqual(allowed);
  });

  it('hold up nobody whose key is known', async () => {
    const storm = Promise.all(Array.from({ length: 50 }, withUnknownKid).map((one) => reading(one)));
    const read = keks.app.get(JwtReader).read(token);
    expect(read).not.toBeInstanceOf(Promise);
    expect(read).toHaveProperty('digest');
    await storm;
  });

  it('are no verdict when the database is away; known ones need none', async () => {
    const other = await startInstance(keks.database.url, keks.clock);
    const reader = other.get(JwtReader);
    await other.get(KeyRing).reload();
    await other.get(Database).detach();
    expect(reader.read(token)).toHaveProperty('digest');
    await expect(reader.read(withUnknownKid())).rejects.toBeInstanceOf(Unavailable);
    await other.close();
  });
});

class TurnedClock extends Clock {
  constructor(public at: number) {
    super();
  }

  now(): number {
    return this.at;
  }
}

function readerAt(now: number): JwtReader {
  return new JwtReader(keks.app.get(KeyRing), new TurnedClock(now), keks.config);
}

function withUnknownKid(): string {
  return signed({ ...header, kid: randomBytes(32).toString('base64url') }, claims, key.privateKey);
}

function nextSpelling(char: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet.charAt(alphabet.indexOf(char) + 1);
}

function withSignature(text: string, change: (signature: Buffer) => Buffer): string {
  const [head, body, signature = ''] = text.split('.');
  return `${head}.${body}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`;
}

function derSignature(text: string): string {
  const input = text.slice(0, text.lastIndexOf('.'));
  return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`;
}

function jsonSerialization(text: string): string {
  const [head, payload, signature] = text.split('.');
  return JSON.stringify({ payload, protected: head, signature });
}
