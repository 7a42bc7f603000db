import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Validation } from 'keks-guard';
import { JwtValidator, type JwtValidatorOptions } from 'keks-guard/jwt';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { json, startFakeAuthority, type FakeAuthority } from '../support/fake-authority.js';
import { base64url, malleated, signed, type Json } from '../support/forge.js';
import { expectNoVerdict } from '../support/no-verdict.js';
import { freePort } from '../support/ports.js';
import { PATIENT_MS } from '../support/test-app.js';

const ISSUER = 'https://auth.example';
const AUDIENCE = 'https://api.example';
const NOW = 1_900_000_000;
const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'k1' };
const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user',
  client_id: 'keks',
  scope: 'cookies:eat cookies:bake',
  iat: NOW - 10,
  exp: NOW + 100,
  jti: 'id',
};

const keyPair = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { publicKey, privateKey } = keyPair();
const other = keyPair();
const jwk = (key: KeyObject, more: Json = {}): Json => ({
  ...key.export({ format: 'jwk' }),
  kid: 'k1',
  use: 'sig',
  alg: 'ES256',
  ...more,
});
const token = (header: Json = {}, claims: Json = {}, key = privateKey): string =>
  signed({ ...HEADER, ...header }, { ...CLAIMS, ...claims }, key);

describe('JwtValidator', () => {
  let authority: FakeAuthority;
  let now: number;
  let validator: JwtValidator;

  const usual = (): JwtValidatorOptions => ({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwksUri: `${authority.url}/.well-known/jwks.json`,
    now: () => now * 1_000,
    timeoutMs: PATIENT_MS,
  });
  const make = (options: Partial<JwtValidatorOptions> = {}): JwtValidator =>
    new JwtValidator({ ...usual(), ...options });

  beforeEach(async () => {
    now = NOW;
    authority = await startFakeAuthority(json({ keys: [jwk(publicKey)] }));
    validator = make();
  });

  afterEach(() => authority.close());

  it('says of a good token for another API whom it is for, and nothing of one that is not good', async () => {
    const aud = ['https://other.example'];
    expect(await validator.validate(token({}, { aud }))).toEqual({
      active: false,
      reason: 'wrong_audience',
      misaddressed: { tokenFor: aud, cameTo: AUDIENCE },
    });
    for (const dead of [token({}, { aud, exp: NOW }), token({}, { aud }, other.privateKey)])
      expect(await validator.validate(dead)).not.toHaveProperty('misaddressed');
  });

  const isGood = (): Promise<boolean> =>
    validator.validate(token()).then(
      ({ active }) => active,
      () => false,
    );

  it('a good token is a principal', async () => {
    expect(await validator.validate(token())).toEqual({
      active: true,
      principal: {
        subject: 'user',
        clientId: 'keks',
        scope: ['cookies:eat', 'cookies:bake'],
        audience: [AUDIENCE],
        expiresAt: NOW + 100,
        tokenId: 'id',
      },
    });
  });

  it.each<[string, Json, Json]>([
    ['several audiences, one of them this API', {}, { aud: ['https://other', AUDIENCE] }],
    ['no scope', {}, { scope: undefined }],
    ['the long spelling of the type', { typ: 'application/at+jwt' }, {}],
    ['the type in capitals (RFC 7515 §4.1.9)', { typ: 'AT+JWT' }, {}],
    ['an issue half a minute ahead: clocks differ', {}, { iat: NOW + 30 }],
  ])('takes %s', async (_, header, claims) => {
    expect((await validator.validate(token(header, claims))).active).toBe(true);
  });

  it.each<[string, string, string]>([
    ['an opaque token', 'kat_x', 'malformed'],
    ['nothing', '', 'malformed'],
    ['garbage in three parts', 'a.b.c', 'malformed'],
    ['9 KB', `${'x'.repeat(9_000)}.x.x`, 'malformed'],
    ['padding', `${token()}=`, 'malformed'],
    ['spare bits that are set', spareBits(token()), 'malformed'],
    ['no signature', token().replace(/[^.]+$/, ''), 'malformed'],
    ['an encrypted token (five parts)', `${token()}.x.y`, 'malformed'],
    ['claims that are no object', signed(HEADER, '"x"', privateKey), 'malformed'],
    ['another key under the same id', token({}, {}, other.privateKey), 'forged'],
    ['a changed claim', swapped(token(), token({}, { sub: 'admin' })), 'forged'],
    ['alg none', token({ alg: 'none' }), 'forged'],
    [
      'alg none without a signature',
      `${base64url({ ...HEADER, alg: 'none' })}.${base64url(CLAIMS)}.`,
      'malformed',
    ],
    ['alg HS256 under the public key', token({ alg: 'HS256' }), 'forged'],
    ['alg ES384', token({ alg: 'ES384' }), 'forged'],
    ['alg in small letters', token({ alg: 'es256' }), 'forged'],
    ['no alg', token({ alg: undefined }), 'malformed'],
    ['no kid', token({ kid: undefined }), 'malformed'],
    ['a kid that is a path', token({ kid: '../k1' }), 'forged'],
    ['a key of its own', token({ kid: 'x', jwk: jwk(other.publicKey) }, {}, other.privateKey), 'forged'],
    [
      'an address of its own',
      token({ kid: 'x', jku: 'https://evil.example' }, {}, other.privateKey),
      'forged',
    ],
    ['an extension that must be understood', token({ crit: ['exp'], exp: 1 }), 'malformed'],
    ['even one that jose understands', token({ crit: ['b64'], b64: true }), 'malformed'],
    ['no type', token({ typ: undefined }), 'wrong_kind'],
    ['the type of an id token', token({ typ: 'JWT' }), 'wrong_kind'],
    ['another issuer', token({}, { iss: `${ISSUER}/` }), 'forged'],
    ['another audience', token({}, { aud: 'https://other' }), 'wrong_audience'],
    ['an audience that only begins like it', token({}, { aud: `${AUDIENCE}/x` }), 'wrong_audience'],
    ['no audience', token({}, { aud: undefined }), 'wrong_audience'],
    ['no issuer', token({}, { iss: undefined }), 'forged'],
    ['its expiry reached', token({}, { exp: NOW }), 'expired'],
    ['no expiry', token({}, { exp: undefined }), 'malformed'],
    ['an expiry as a string', token({}, { exp: String(NOW + 9) }), 'malformed'],
    ['an expiry with a fraction', token({}, { exp: NOW + 9.5 }), 'malformed'],
    ['not yet', token({}, { nbf: NOW + 1 }), 'malformed'],
    ['an issue in the future', token({}, { iat: NOW + 61 }), 'forged'],
    ...['sub', 'client_id', 'iat', 'jti'].map((claim): [string, string, string] => [
      `no ${claim}`,
      token({}, { [claim]: undefined }),
      'malformed',
    ]),
    ...['sub', 'client_id', 'jti'].flatMap((claim): [string, string, string][] => [
      [`an empty ${claim}`, token({}, { [claim]: '' }), 'malformed'],
      [`${claim} as a number`, token({}, { [claim]: 1 }), 'malformed'],
    ]),
    ['scope as a list', token({}, { scope: ['cookies:eat'] }), 'malformed'],
  ])('refuses %s', async (_, refused, reason) => {
    expect(await validator.validate(refused)).toMatchObject({ active: false, reason });
  });

  it('takes the second spelling that every ECDSA signature has: what counts is the jti', async () => {
    expect((await validator.validate(malleated(token()))).active).toBe(true);
  });

  it('without leeway: good until its last second, dead on it (RFC 7519 §4.1.4)', async () => {
    now = NOW + 99.999;
    expect((await validator.validate(token())).active).toBe(true);
    now = NOW + 100;
    expect(await validator.validate(token())).toEqual({ active: false, reason: 'expired' });
  });

  describe('keys', () => {
    it('are fetched with the first token that needs them, once', async () => {
      await validator.validate('kat_opaque');
      expect(authority.questions).toHaveLength(0);
      await Promise.all(Array.from({ length: 50 }, () => validator.validate(token())));
      await validator.validate(token());
      expect(authority.questions).toHaveLength(1);
      expect(authority.questions[0]?.headers.authorization).toBeUndefined();
    });

    it('unknown ids in thousands do not make it ask again', async () => {
      await validator.validate(token());
      await Promise.all(
        Array.from({ length: 1_000 }, (_, at) => validator.validate(token({ kid: `k-${at}` }))),
      );
      expect(authority.questions).toHaveLength(1);
    });

    it('an id that is new after the cooldown does', async () => {
      const one = make({ keysCooldown: 1 });
      await one.validate(token());
      authority.answer = json({ keys: [jwk(publicKey), jwk(other.publicKey, { kid: 'k2' })] });
      const later = token({ kid: 'k2' }, {}, other.privateKey);
      await expect.poll(async () => (await one.validate(later)).active, { timeout: 90_000 }).toBe(true);
      expect(authority.questions).toHaveLength(2);
    });

    it('one that is no longer published is no longer good, once it has asked again', async () => {
      const one = make({ keysMaxAge: 1 });
      await one.validate(token());
      authority.answer = json({ keys: [jwk(other.publicKey, { kid: 'k2' })] });
      await expect.poll(async () => (await one.validate(token())).active, { timeout: 90_000 }).toBe(false);
    });

    it('of other kinds are not used', async () => {
      for (const more of [
        { use: 'enc' },
        { alg: 'ES384' },
        { key_ops: ['sign'] },
        { kty: 'oct', k: 'AAAA' },
      ]) {
        authority.answer = json({ keys: [jwk(publicKey, more)] });
        expect((await make().validate(token())).active).toBe(false);
      }
    });
  });

  describe('a signature that was verified', () => {
    const verify = vi.spyOn(crypto.subtle, 'verify');

    /** @returns how many signatures were verified meanwhile */
    async function verified(work: () => Promise<unknown>): Promise<number> {
      const before = verify.mock.calls.length;
      await work();
      return verify.mock.calls.length - before;
    }

    const active = async (one: JwtValidator, text: string): Promise<boolean> =>
      (await one.validate(text)).active;

    it('is not verified again', async () => {
      const [one, two] = [token(), token({}, { jti: 'two' })];
      for (const text of [one, one, two, two]) await validator.validate(text);
      const count = await verified(async () => {
        for (let round = 0; round < 20; round += 1)
          expect([await active(validator, one), await active(validator, two)]).toEqual([true, true]);
      });
      expect(count).toBe(0);
      expect(await validator.validate(one)).toEqual(await make().validate(one));
    });

    it('says nothing about another text, however much of it is the same', async () => {
      const good = token();
      for (let round = 0; round < 3; round += 1) expect(await active(validator, good)).toBe(true);
      const at = good.lastIndexOf('.');
      const instead = (character = ''): string => (character === 'A' ? 'Q' : 'A');
      const forged = [
        `${good.slice(0, -1)}${instead(good.at(-1))}`,
        `${good.slice(0, at + 1)}${instead(good[at + 1])}${good.slice(at + 2)}`,
        swapped(good, token({}, { sub: 'admin' })),
        token({}, { sub: 'admin' }, other.privateKey),
        good.slice(0, -4),
        `${good}AAAA`,
      ];
      for (const text of forged)
        for (let round = 0; round < 2; round += 1) expect(await active(validator, text)).toBe(false);
      expect(await active(validator, good)).toBe(true);
    });

    it('gives a verdict at once, and none for another text or when its time is over', async () => {
      const good = token();
      expect(validator.verdictAtOnce(good)).toBeUndefined();
      for (let round = 0; round < 2; round += 1) await validator.validate(good);
      const verdict = await validator.validate(good);
      expect(verdict.active).toBe(true);
      expect(validator.verdictAtOnce(good)).toEqual(verdict);
      const others = [swapped(good, token({}, { sub: 'admin' })), `${good}A`, good.slice(0, -1), `${good}.`];
      for (const text of [...others, '', '.', 'x'.repeat(10_000)])
        expect(validator.verdictAtOnce(text)).toBeUndefined();
      now = NOW + 100;
      expect(validator.verdictAtOnce(good)).toBeUndefined();
    });

    it('gives none at once where somebody has put a method of their own in the place of `validate`', async () => {
      const good = token();
      const nobody = { active: false, reason: 'revoked' } as const;
      class Stricter extends JwtValidator {
        override async validate(text: string): Promise<Validation> {
          await super.validate(text);
          return nobody;
        }
      }
      const stricter = new Stricter(usual());
      const replaced = make();
      for (let round = 0; round < 3; round += 1) await replaced.validate(good);
      expect(replaced.verdictAtOnce(good)).toBeDefined();
      replaced.validate = () => Promise.resolve(nobody);
      for (const one of [stricter, replaced]) {
        for (let round = 0; round < 3; round += 1) expect(await one.validate(good)).toBe(nobody);
        expect(one.verdictAtOnce(good)).toBeUndefined();
      }
    });

    it.each<[string, Json, number]>([
      ['is over', {}, NOW + 100],
      ['is not good yet, by a clock that was set back', { nbf: NOW - 5 }, NOW - 6],
      ['comes from the future, by such a clock', {}, NOW - 10 - 61],
    ])('does not help a token that %s', async (_, claims, then) => {
      const text = token({}, claims);
      for (let round = 0; round < 3; round += 1) expect(await active(validator, text)).toBe(true);
      now = then;
      const verdict = await validator.validate(text);
      expect(verdict).toEqual(await make().validate(text));
      expect(verdict.active).toBe(false);
      now = NOW;
      expect(await active(validator, text)).toBe(true);
    });

    it('counts no longer when its key has gone, nor when another has its id', async () => {
      for (const answer of [
        json({ keys: [jwk(other.publicKey, { kid: 'k2' })] }),
        json({ keys: [jwk(other.publicKey)] }),
      ]) {
        authority.answer = json({ keys: [jwk(publicKey)] });
        const one = make({ keysMaxAge: 1 });
        for (let round = 0; round < 3; round += 1) expect(await active(one, token())).toBe(true);
        authority.answer = answer;
        const text = token();
        for (let round = 0; round < 3; round += 1) await one.validate(text);
        await expect.poll(() => active(one, text), { timeout: 90_000 }).toBe(false);
      }
    });

    it('counts no longer when nobody knows which keys are good', async () => {
      const one = make({ keysMaxAge: 1 });
      const text = token();
      for (let round = 0; round < 3; round += 1) expect(await active(one, text)).toBe(true);
      authority.answer = json({}, 503);
      await expect.poll(() => active(one, text).catch(() => 'nothing'), { timeout: 90_000 }).toBe('nothing');
    });

    it('is remembered of so many tokens and no more', async () => {
      const few = make({ provenTokens: 4 });
      await few.validate(token());
      const texts = Array.from({ length: 8 }, (_, at) => token({}, { jti: `few-${at}` }));
      const all = async (): Promise<void> => {
        for (const text of texts) expect(await active(few, text)).toBe(true);
      };
      await all();
      expect(await verified(all)).toBe(8);
      const none = make({ provenTokens: 0 });
      await none.validate(token());
      expect(await verified(() => none.validate(token()))).toBe(1);
    });

    it('gives a principal that no handler can change for the next request', async () => {
      const text = token();
      for (let round = 0; round < 3; round += 1) await validator.validate(text);
      const verdict = await validator.validate(text);
      if (!verdict.active) throw new Error(verdict.reason);
      const { principal } = verdict;
      expect(() => Object.assign(principal, { subject: 'admin' })).toThrow(TypeError);
      expect(() => (principal.scope as string[]).push('keks:admin')).toThrow(TypeError);
    });
  });

  describe('no verdict while the keys cannot be had', () => {
    it('because nobody listens', async () => {
      await expectNoVerdict(
        make({ jwksUri: `http://127.0.0.1:${await freePort()}` }).validate(token()),
        'unreachable',
      );
    });

    it('in time', async () => {
      authority.answer = () => undefined;
      await expectNoVerdict(make({ timeoutMs: 100 }).validate(token()), 'timed_out');
    });

    it.each<[string, FakeAuthority['answer']]>([
      ['503', json({}, 503)],
      ['a redirect', json({}, 302, { location: '/elsewhere' })],
      ['no JSON', json('<html>')],
      ['no keys', json({})],
      ['a key twice', json({ keys: [jwk(publicKey), jwk(other.publicKey)] })],
    ])('because they are %s', async (_, answer) => {
      authority.answer = answer;
      await expectNoVerdict(make().validate(token()), 'bad_answer');
      expect(authority.questions).toHaveLength(1);
    });

    it('asks once a second, however many tokens come', async () => {
      authority.answer = json({}, 503);
      for (let round = 0; round < 50; round += 1) await validator.validate(token()).catch(() => undefined);
      expect(authority.questions).toHaveLength(1);
      authority.answer = json({ keys: [jwk(publicKey)] });
      await expect.poll(isGood, { timeout: 90_000 }).toBe(true);
    });

    it('but an opaque token is refused all the same: that needs no key', async () => {
      authority.answer = json({}, 503);
      expect(await validator.validate('kat_x')).toEqual({ active: false, reason: 'malformed' });
    });

    it('and what it knows serves on while the authority is away', async () => {
      await validator.validate(token());
      authority.answer = json({}, 503);
      expect((await validator.validate(token())).active).toBe(true);
    });
  });

  it('finds the keys where Keks publishes them', async () => {
    const one = new JwtValidator({ issuer: authority.url, audience: AUDIENCE, now: () => now * 1_000 });
    expect((await one.validate(token({}, { iss: authority.url }))).active).toBe(true);
    expect(authority.questions[0]?.path).toBe('/.well-known/jwks.json');
  });

  it.each<[string, Partial<JwtValidatorOptions>]>([
    ['no issuer', { issuer: '' }],
    ['no audience', { audience: '' }],
    ['keys over plain http', { jwksUri: 'http://auth.example/jwks.json' }],
    ['keys in a file', { jwksUri: 'file:///jwks.json' }],
    ['no cooldown', { keysCooldown: 0 }],
  ])('refuses options that cannot be meant: %s', (_, options) => {
    expect(() => make(options)).toThrow(/^(?:issuer|jwksUri|keysCooldown)/);
  });
});

/** The last character of an ES256 signature has four bits that mean nothing. */
function spareBits(jwt: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = digits.indexOf(jwt.at(-1) ?? '');
  return jwt.slice(0, -1) + digits[last ^ 1];
}

/** The claims of one, the signature of the other. */
function swapped(signature: string, claims: string): string {
  return `${claims.slice(0, claims.lastIndexOf('.'))}${signature.slice(signature.lastIndexOf('.'))}`;
}
