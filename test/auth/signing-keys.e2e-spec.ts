import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JwtReader } from '../../src/auth/tokens/jwt/jwt-reader.js';
import { JwtSigner } from '../../src/auth/tokens/jwt/jwt-signer.js';
import { KeyCipher } from '../../src/auth/keys/key-cipher.js';
import { KeyRing } from '../../src/auth/keys/key-ring.js';
import { KeySchedule } from '../../src/auth/keys/key-schedule.js';
import { PublishedKeys } from '../../src/auth/keys/published-keys.js';
import { SharedRun } from '../../src/auth/keys/shared-run.js';
import { MAKES_FOR_MS, SETTLES_IN_MS } from '../../src/auth/secrets/secret-key-register.js';
import { SigningKeys } from '../../src/auth/keys/signing-keys.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { Database } from '../../src/database/database.js';
import { Unavailable } from '../../src/http/errors/unavailable.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { claimsOf, headerOf, storedKey } from '../support/forge.js';
import { startInstance, type Instance } from '../support/instance.js';
import { ManualClock } from '../support/manual-clock.js';
import { keksHere } from '../support/keks-here.js';
import { environment, SECRET_KEY } from '../support/test-app.js';

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
const PUBLISH = 10 * MINUTE;
const BY_OPERATOR = { actor: 'operator', origin: OPERATOR };
const NEW_SECRET = '1be741d87be05a639f2c63d0a71e5b42c8f30d96ea14772b5c09d1f6384eab27';
const ISSUER = 'http://127.0.0.1:3000';

let database: TestDatabase;
let clock: ManualClock;
let instances: Instance[];

async function start(extra: Record<string, string> = {}): Promise<Instance> {
  const instance = await startInstance(database.url, clock, extra);
  instances.push(instance);
  return instance;
}

async function sign(instance: Instance, life = HOUR): Promise<string> {
  const iat = clock.seconds();
  const claims = { sub: 's', client_id: 'c', aud: ISSUER, scope: 'a', iat, exp: iat + life };
  return (await instance.get(JwtSigner).sign(claims)).token;
}

async function accepts(instance: Instance, token: string): Promise<boolean> {
  return !('refused' in (await instance.get(JwtReader).read(token)));
}

/** What the timer does. */
const tick = (instance: Instance): Promise<void> => instance.get(KeySchedule).run();

const kidOf = (token: string): string => String(headerOf(token)['kid']);

async function publishedBy(instance: Instance): Promise<string[]> {
  return (await instance.get(PublishedKeys).list()).map((jwk) => jwk.kid);
}

interface Row {
  readonly kid: string;
  readonly signs_from: Date;
  readonly retires_at: Date | null;
}

async function rows(): Promise<Row[]> {
  const answer = await database.client.query<Row>(
    'SELECT kid, signs_from, retires_at FROM signing_keys ORDER BY signs_from, kid',
  );
  return answer.rows;
}

async function audited(type: string): Promise<{ actor: string; detail: Record<string, unknown> }[]> {
  const answer = await database.client.query(
    'SELECT actor, detail FROM audit_events WHERE type = $1 ORDER BY created_at',
    [type],
  );
  return answer.rows;
}

beforeEach(async () => {
  database = await createDatabase();
  clock = new ManualClock();
  instances = [];
});

afterEach(async () => {
  await Promise.all(instances.map((instance) => instance.close()));
  await database.close();
});

describe('the first key of an empty database', () => {
  it('signs at once', async () => {
    const instance = await start();
    await tick(instance);
    const [first, ...others] = await rows();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ retires_at: null });
    expect(first?.signs_from.getTime()).toBeLessThanOrEqual(clock.now());
    expect(kidOf(await sign(instance))).toBe(first?.kid);
    expect(await audited('key.added')).toEqual([
      { actor: 'keks', detail: expect.objectContaining({ kid: first?.kid, predecessors: [] }) },
    ]);
  });

  it('is one, however many instances start at once', async () => {
    const many = await Promise.all([start(), start(), start(), start()]);
    await Promise.all(many.map((instance) => tick(instance)));
    expect(await rows()).toHaveLength(1);
    const tokens = await Promise.all(many.map((instance) => sign(instance)));
    for (const token of tokens)
      for (const instance of many) expect(await accepts(instance, token)).toBe(true);
  });

  it('is made by the first token, if that comes before the schedule', async () => {
    const both = [await start(), await start()];
    const tokens = await Promise.all(Array.from({ length: 60 }, (_, at) => sign(both[at % 2] as Instance)));
    expect(await rows()).toHaveLength(1);
    expect(new Set(tokens.map((token) => kidOf(token))).size).toBe(1);
  });
});

describe('a private key at rest', () => {
  it('is encrypted: the row holds the scalar in no spelling', async () => {
    const instance = await start();
    await tick(instance);
    const { privateKey, publicKey, kid } = await storedKey(database, instance);
    const d = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
    const der = privateKey.export({ format: 'der', type: 'pkcs8' });
    expect(d).toHaveLength(32);
    const { rows: dump } = await database.client.query<{
      text: string;
      private_key: Buffer;
      public_jwk: object;
    }>('SELECT t::text AS text, private_key, public_jwk FROM signing_keys t');
    for (const { text, private_key: sealed } of dump) {
      expect(sealed.includes(d)).toBe(false);
      expect(sealed.includes(der.subarray(0, 16))).toBe(false);
      for (const encoding of ['hex', 'base64', 'base64url'] as const)
        for (const haystack of [text, sealed.toString('latin1'), sealed.toString('base64')])
          expect(haystack).not.toContain(d.toString(encoding).replaceAll('=', ''));
    }
    const { x, y } = publicKey.export({ format: 'jwk' });
    expect(dump[0]?.public_jwk).toEqual({ kty: 'EC', crv: 'P-256', x, y, kid, use: 'sig', alg: 'ES256' });
  });

  it('is of use in no other row, and not when a bit has changed', async () => {
    const cipher = (await start()).get(KeyCipher);
    const sealed = cipher.seal(Buffer.from('private'), 'kid');
    expect(cipher.open(sealed, 'kid')?.toString()).toBe('private');
    expect(cipher.open(sealed, 'other')).toBeUndefined();
    for (let at = 0; at < sealed.length; at += 1) {
      const altered = Buffer.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(cipher.open(altered, 'kid')).toBeUndefined();
      expect(cipher.open(sealed.subarray(0, at), 'kid')).toBeUndefined();
    }
  });

  it('is sealed with a nonce of its own each time', async () => {
    const cipher = (await start()).get(KeyCipher);
    const sealed = Array.from({ length: 50 }, () =>
      cipher.seal(Buffer.from('private'), 'kid').toString('hex'),
    );
    expect(new Set(sealed).size).toBe(50);
  });
});

describe('the published keys', () => {
  it('have public members only, and a kid of their own', async () => {
    const instance = await start();
    await tick(instance);
    await instance.get(SigningKeys).rotate(BY_OPERATOR);
    // whatever somebody puts into the row
    await database.client.query(
      `UPDATE signing_keys SET public_jwk = public_jwk || '{"d": "secret", "k": "secret"}'`,
    );
    const other = await start();
    for (const one of [instance, other]) {
      const keys = await one.get(PublishedKeys).list();
      expect(keys).toHaveLength(2);
      expect(new Set(keys.map((jwk) => jwk.kid)).size).toBe(2);
      for (const jwk of keys)
        expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
  });

  it('are served from memory while the database is away, and not at all if they were never read', async () => {
    const [instance, fresh] = [await start(), await start()];
    await tick(instance);
    for (const one of [instance, fresh]) await one.get(Database).detach();
    clock.advance(HOUR);
    expect(await publishedBy(instance)).toHaveLength(1);
    await expect(publishedBy(fresh)).rejects.toBeInstanceOf(Unavailable);
  });
});

/** A resource server that keeps the JWKS for as long as it may, and never asks in between. */
class CachingVerifier {
  private fetchedAt = -Infinity;
  private keys: JSONWebKeySet = { keys: [] };

  constructor(private readonly from: Instance) {}

  async accepts(token: string): Promise<boolean> {
    if (clock.now() - this.fetchedAt >= (PUBLISH / 2) * 1_000) {
      this.keys = { keys: await this.from.get(PublishedKeys).list() };
      this.fetchedAt = clock.now();
    }
    const options = { issuer: ISSUER, audience: ISSUER, typ: 'at+jwt', currentDate: new Date(clock.now()) };
    return jwtVerify(token, createLocalJWKSet(this.keys), options).then(
      () => true,
      () => false,
    );
  }
}

describe('rotation on schedule', () => {
  it('publishes, waits, signs and retires, and no valid token is ever refused by anybody', async () => {
    const [a, b] = [await start(), await start()];
    const verifiers = [new CachingVerifier(a), new CachingVerifier(b)];
    let alive: string[] = [];
    const lastRead = new Map<Instance, number>();
    const seen = new Set<string>();

    // one tick in 60 s each, half a minute apart; both sign at every step
    const step = async (seconds: number): Promise<void> => {
      clock.advance(seconds);
      for (const instance of [a, b])
        if (clock.now() - (lastRead.get(instance) ?? -Infinity) >= MINUTE * 1_000) {
          await tick(instance);
          lastRead.set(instance, clock.now());
        }
      const fresh = await Promise.all([sign(a), sign(b)]);
      fresh.forEach((token) => seen.add(kidOf(token)));
      alive = [...alive, ...fresh].filter((token) => Number(claimsOf(token)['exp']) > clock.seconds() + 1);
      for (const token of alive) {
        expect(await accepts(a, token), 'a').toBe(true);
        expect(await accepts(b, token), 'b').toBe(true);
        for (const verifier of verifiers) expect(await verifier.accepts(token), 'offline').toBe(true);
      }
    };

    await tick(a);
    lastRead.set(a, clock.now());
    clock.advance(30);
    await tick(b);
    lastRead.set(b, clock.now());
    const [first] = await rows();
    await step(30 * DAY - 14 * MINUTE);
    expect(await rows()).toHaveLength(1);
    for (let at = 0; at < 20; at += 1) await step(59);
    const [, second, ...others] = await rows();
    expect(others).toEqual([]);
    expect([...seen]).toEqual([first?.kid, second?.kid]);
    expect((second?.signs_from.getTime() ?? 0) - (first?.signs_from.getTime() ?? 0)).toBeGreaterThanOrEqual(
      30 * DAY * 1_000,
    );
    expect(kidOf(await sign(a))).toBe(second?.kid);
    expect(kidOf(await sign(b))).toBe(second?.kid);
    expect(await audited('key.rotated')).toEqual([
      {
        actor: 'keks',
        detail: {
          kid: second?.kid,
          signs_from: second?.signs_from.toISOString(),
          predecessors: [first?.kid],
        },
      },
    ]);
  });

  it('retires a key when the last token that it can have signed is over, then deletes it', async () => {
    const instance = await start();
    await tick(instance);
    const longest = await sign(instance, 7 * DAY);
    const old = kidOf(longest);
    await instance.get(SigningKeys).rotate(BY_OPERATOR);
    clock.advance(PUBLISH);
    await tick(instance);
    const last = await sign(instance, 7 * DAY);
    expect(kidOf(last)).not.toBe(old);
    clock.advance(7 * DAY - PUBLISH - MINUTE);
    await tick(instance);
    expect(await accepts(instance, longest)).toBe(true);
    expect(await publishedBy(instance)).toContain(old);
    clock.advance(DAY + PUBLISH + 2 * MINUTE);
    expect(await publishedBy(instance)).toEqual([kidOf(last)]);
    expect(await rows()).toHaveLength(2);
    clock.advance(7 * DAY);
    await tick(instance);
    expect((await rows()).map((row) => row.kid)).toEqual([kidOf(last)]);
    expect(await audited('key.deleted')).toEqual([{ actor: 'keks', detail: { kid: old } }]);
  });

  it('happens once, however many instances find that it is due', async () => {
    const many = await Promise.all([start(), start(), start(), start()]);
    await tick(many[0] as Instance);
    clock.advance(30 * DAY);
    await Promise.all(many.flatMap((instance) => [tick(instance), tick(instance)]));
    expect(await rows()).toHaveLength(2);
    expect(await audited('key.rotated')).toHaveLength(1);
  });

  it('goes on after a year in which nothing ran', async () => {
    const instance = await start();
    await tick(instance);
    clock.advance(365 * DAY);
    const token = await sign(instance);
    await tick(instance);
    clock.advance(PUBLISH);
    const next = await sign(instance);
    expect(kidOf(next)).not.toBe(kidOf(token));
    expect(await accepts(instance, token)).toBe(true);
    expect(await accepts(instance, next)).toBe(true);
  });

  it('never signs with a key that the token would outlive', async () => {
    const instance = await start();
    await tick(instance);
    const old = kidOf(await sign(instance));
    await database.client.query('UPDATE signing_keys SET retires_at = $1', [
      new Date(clock.now() + 30 * MINUTE * 1_000),
    ]);
    await instance.get(KeyRing).reload();
    expect(kidOf(await sign(instance, 10 * MINUTE))).toBe(old);
    const longer = await sign(instance, HOUR);
    expect(kidOf(longer)).not.toBe(old);
    clock.advance(45 * MINUTE);
    expect(await accepts(instance, longer)).toBe(true);
  });
});

describe("the operator's rotation", () => {
  it('publishes the next key and signs with it after the publish wait', async () => {
    const instance = await start();
    await tick(instance);
    const before = kidOf(await sign(instance));
    const rotation = await instance.get(SigningKeys).rotate(BY_OPERATOR);
    expect(rotation).toMatchObject({ added: true });
    expect(rotation.signsFrom.getTime()).toBeGreaterThan(clock.now() + (PUBLISH - 5) * 1_000);
    expect(await publishedBy(instance)).toEqual([before, rotation.kid]);
    expect(kidOf(await sign(instance))).toBe(before);
    clock.advance(PUBLISH);
    expect(kidOf(await sign(instance))).toBe(rotation.kid);
    expect(await audited('key.rotated')).toEqual([
      { actor: 'operator', detail: expect.objectContaining({ kid: rotation.kid }) },
    ]);
  });

  it('twenty at once, on two instances, are one rotation', async () => {
    const [a, b] = [await start(), await start()];
    await tick(a);
    const rotations = await Promise.all(
      Array.from({ length: 20 }, (_, at) => (at % 2 ? a : b).get(SigningKeys).rotate(BY_OPERATOR)),
    );
    expect(rotations.filter((one) => one.added)).toHaveLength(1);
    expect(new Set(rotations.map((one) => one.kid)).size).toBe(1);
    const [old, next, ...others] = await rows();
    expect(others).toEqual([]);
    expect(next).toMatchObject({ kid: rotations[0]?.kid, retires_at: null });
    expect(old?.retires_at?.getTime()).toBe((next?.signs_from.getTime() ?? 0) + 8 * DAY * 1_000);
    expect(await audited('key.rotated')).toHaveLength(1);
  });

  it('is found by the first token, on an instance that has read nothing since', async () => {
    const [a, b] = [await start(), await start()];
    await Promise.all([tick(a), tick(b)]);
    await a.get(SigningKeys).rotate(BY_OPERATOR);
    clock.advance(PUBLISH);
    const token = await sign(a);
    expect(b.get(KeyRing).find(kidOf(token))).toBeUndefined();
    expect(await accepts(b, token)).toBe(true);
    // from now on without asking
    expect(b.get(JwtReader).read(token)).not.toBeInstanceOf(Promise);
  });

  it('is found behind a storm of unknown kids too', async () => {
    const [a, b] = [await start(), await start()];
    await Promise.all([tick(a), tick(b)]);
    const stranger = await sign(await strangerInstance());
    const storm = Array.from({ length: 50 }, () => accepts(b, stranger));
    const { kid } = await a.get(SigningKeys).rotate(BY_OPERATOR, { compromised: true });
    const token = await sign(a);
    expect(kidOf(token)).toBe(kid);
    expect(await accepts(b, token)).toBe(true);
    expect(new Set(await Promise.all(storm))).toEqual(new Set([false]));
  });

  it('of a compromised key is effective at once: nothing that it signed is accepted any more', async () => {
    const [a, b] = [await start(), await start()];
    await Promise.all([tick(a), tick(b)]);
    const lost = await sign(a);
    const { kid, added } = await a.get(SigningKeys).rotate(BY_OPERATOR, { compromised: true });
    expect(added).toBe(true);
    expect(await publishedBy(a)).toEqual([kid]);
    expect(await accepts(a, lost)).toBe(false);
    const token = await sign(a);
    expect(kidOf(token)).toBe(kid);
    expect(await accepts(b, token)).toBe(true);
    clock.advance(MINUTE);
    await tick(b);
    expect(await accepts(b, lost)).toBe(false);
    expect(await publishedBy(b)).toEqual([kid]);
    expect(await audited('key.replaced')).toHaveLength(1);
  });

  it('twenty compromised ones at once leave one key that signs', async () => {
    const [a, b] = [await start(), await start()];
    await tick(a);
    await a.get(SigningKeys).rotate(BY_OPERATOR);
    const rotations = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) =>
        (at % 2 ? a : b).get(SigningKeys).rotate(BY_OPERATOR, { compromised: true }),
      ),
    );
    // they queue, and on a slow machine the last may not wait so long
    for (const one of rotations)
      if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(Unavailable);
    clock.advance(1);
    const left = (await rows()).filter(
      (row) => row.retires_at === null || row.retires_at.getTime() > clock.now(),
    );
    expect(left).toHaveLength(1);
    await Promise.all([tick(a), tick(b)]);
    const tokens = await Promise.all([sign(a), sign(b)]);
    expect(tokens.map((token) => kidOf(token))).toEqual([left[0]?.kid, left[0]?.kid]);
  });

  it('lists every key with what it does', async () => {
    const instance = await start();
    await tick(instance);
    await instance.get(SigningKeys).rotate(BY_OPERATOR);
    expect(await instance.get(SigningKeys).list()).toEqual([
      expect.objectContaining({ alg: 'ES256', state: 'signing' }),
      expect.objectContaining({ alg: 'ES256', state: 'published', retiresAt: null }),
    ]);
    clock.advance(PUBLISH);
    expect((await instance.get(SigningKeys).list()).map((key) => key.state)).toEqual([
      'verifying',
      'signing',
    ]);
    clock.advance(9 * DAY);
    expect((await instance.get(SigningKeys).list()).map((key) => key.state)).toEqual(['retired', 'signing']);
  });
});

describe('keks key', { timeout: 60_000 }, () => {
  it('rotates and lists', async () => {
    const instance = await start();
    await tick(instance);
    const lost = await sign(instance);
    const next = { kid: expect.stringMatching(/^[\w-]{43}$/), signs_from: expect.any(String) };
    const rotated = await keksKey('rotate');
    expect(rotated).toEqual({ ...next, added: true });
    expect(await keksKey('rotate')).toEqual({ ...(rotated as object), added: false });
    expect(await keksKey('list')).toEqual([
      expect.objectContaining({ kid: kidOf(lost), alg: 'ES256', state: 'signing' }),
      expect.objectContaining({ alg: 'ES256', state: 'published', retires_at: null }),
    ]);
    expect(await keksKey('rotate', '--compromised')).toEqual({ ...next, added: true });
    await tick(instance);
    expect(await accepts(instance, lost)).toBe(false);
  });

  it('leaves the keys of the servers alone when it runs with another secret', async () => {
    await tick(await start());
    const before = await rows();
    const other = { ...environment(database.url), SECRET_KEY: NEW_SECRET };
    expect((await keksHere(other, ['user', 'list'])).code).toBe(0);
    expect(await rows()).toEqual(before);
  });
});

describe('a new SECRET_KEY', () => {
  const renewed = { SECRET_KEY: NEW_SECRET, SECRET_KEY_PREVIOUS: SECRET_KEY };

  it('keeps JWTs valid with SECRET_KEY_PREVIOUS, and the keys are sealed anew', async () => {
    const before = await start();
    await tick(before);
    const token = await sign(before);
    clock.advance(SETTLES_IN_MS / 1_000);
    await tick(before);
    const between = await start(renewed);
    await tick(between);
    expect(await audited('key.resealed')).toEqual([]);
    clock.advance(SETTLES_IN_MS / 1_000);
    await tick(between);
    expect(await accepts(between, token)).toBe(true);
    expect(kidOf(await sign(between))).toBe(kidOf(token));
    expect(await audited('key.resealed')).toEqual([{ actor: 'keks', detail: { kid: kidOf(token) } }]);
    const after = await start({ SECRET_KEY: NEW_SECRET });
    await tick(after);
    expect(await accepts(after, token)).toBe(true);
    expect(kidOf(await sign(after))).toBe(kidOf(token));
    expect(await rows()).toHaveLength(1);
  });

  it('lets an instance that still has the old one go on signing', async () => {
    const before = await start();
    await tick(before);
    const token = await sign(before);
    const after = await start(renewed);
    await tick(after);
    clock.advance(MAKES_FOR_MS / 1_000);
    await tick(after);
    expect(await audited('key.resealed')).toHaveLength(1);
    await tick(before);
    expect(kidOf(await sign(before))).toBe(kidOf(token));
    expect(await rows()).toHaveLength(1);
  });

  it('is sealed anew by one of many', async () => {
    await tick(await start());
    const many = await Promise.all([start(renewed), start(renewed), start(renewed)]);
    await Promise.all(many.map((instance) => tick(instance)));
    expect(await audited('key.resealed')).toEqual([]);
    clock.advance(SETTLES_IN_MS / 1_000);
    await Promise.all(many.map((instance) => tick(instance)));
    expect(await audited('key.resealed')).toHaveLength(1);
  });

  it('without the previous one: old JWTs verify still, and none signs in its place until the operator says so', async () => {
    const before = await start();
    await tick(before);
    const token = await sign(before);
    const after = await start({ SECRET_KEY: NEW_SECRET });
    await tick(after);
    await expect(sign(after)).rejects.toBeInstanceOf(Unavailable);
    expect(await accepts(after, token)).toBe(true);
    expect(await rows()).toHaveLength(1);

    await after.get(SigningKeys).rotate(BY_OPERATOR);
    await expect(sign(after)).rejects.toBeInstanceOf(Unavailable);
    clock.advance(PUBLISH);
    const next = await sign(after);
    expect(kidOf(next)).not.toBe(kidOf(token));
    for (const one of [token, next]) expect(await accepts(after, one)).toBe(true);
  });

  it('without the previous one, and lost: keys retired as compromised are none to wait for', async () => {
    const before = await start();
    await tick(before);
    const token = await sign(before);
    const after = await start({ SECRET_KEY: NEW_SECRET });
    await tick(after);
    await after.get(SigningKeys).rotate(BY_OPERATOR, { compromised: true });
    expect(kidOf(await sign(after))).not.toBe(kidOf(token));
    expect(await accepts(after, token)).toBe(false);
  });
});

describe('an instance that was cut off', () => {
  it('does not sign with what it last knew', async () => {
    const instance = await start();
    await tick(instance);
    await instance.get(Database).detach();
    expect(await sign(instance)).toBeTruthy();
    clock.advance(PUBLISH / 2 + 1);
    await expect(sign(instance)).rejects.toBeInstanceOf(Unavailable);
  });

  it('asks before it signs again', async () => {
    const [a, b] = [await start(), await start()];
    await Promise.all([tick(a), tick(b)]);
    await a.get(SigningKeys).rotate(BY_OPERATOR);
    clock.advance(2 * PUBLISH);
    expect(kidOf(await sign(b))).toBe(kidOf(await sign(a)));
  });
});

describe('SharedRun', () => {
  it('never answers with a run that began before the question', async () => {
    let begun = 0;
    const shared = new SharedRun(async () => {
      begun += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }, 30);
    const first = shared.ask();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(begun).toBe(1);
    const began = performance.now();
    await Promise.all([shared.ask(), shared.ask(), first]);
    expect(begun).toBe(2);
    // the rest of the first, the pause, and the second
    expect(performance.now() - began).toBeGreaterThan(50);
  });

  it('recovers from a run that failed, which is told to those who asked for it', async () => {
    let broken = true;
    const shared = new SharedRun(async () => {
      if (broken) throw new Error('away');
    }, 1);
    await expect(Promise.all([shared.ask(), shared.ask()])).rejects.toThrow('away');
    broken = false;
    await expect(shared.ask()).resolves.toBeUndefined();
  });
});

/** The compiled command line, on the test's database. */
async function keksKey(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await keksHere(environment(database.url), ['--json', 'key', ...args]);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Another authority altogether. */
async function strangerInstance(): Promise<Instance> {
  const own = await createDatabase();
  const instance = await startInstance(own.url, clock, { SECRET_KEY: randomBytes(32).toString('hex') });
  await tick(instance);
  instances.push({
    get: (type) => instance.get(type),
    close: async () => {
      await instance.close();
      await own.close();
    },
  });
  return instance;
}
