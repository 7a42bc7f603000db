import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { JwtValidator, type JwtValidatorOptions } from 'keks-guard/jwt';
import { LeaseClock } from '../../packages/guard/src/lease-clock.js';
import { NoVerdict } from 'keks-guard';
import { RevocationSet } from '../../packages/guard/src/revocation-set.js';
import { claimsOf } from '../support/forge.js';
import { startFakeAuthority, type FakeAuthority } from '../support/fake-authority.js';
import { addClient, clientToken, stayLoggedIn, type TestClient } from '../support/oauth.js';
import { takeAway } from '../support/outage.js';
import { PASSWORD, post, request, startTestApp, PATIENT_MS, type TestApp } from '../support/test-app.js';

describe('JwtValidator with exact revocations', () => {
  let keks: TestApp;
  let api: TestClient;
  /** Counts who is asked about a token, and passes nothing on. */
  let counter: FakeAuthority;
  const validators: JwtValidator[] = [];

  beforeAll(async () => {
    keks = await startTestApp({ LEASE_TTL: '3s' });
    await keks.addUser('Ann', 'cookies:eat keks:admin');
    api = await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] });
    counter = await startFakeAuthority((_, response) => response.writeHead(500).end());
  });

  afterEach(() => {
    for (const one of validators.splice(0)) one.onApplicationShutdown();
    counter.questions.length = 0;
  });

  afterAll(async () => {
    await counter.close();
    await keks.close();
  });

  function guard(more: Partial<JwtValidatorOptions> = {}): JwtValidator {
    const validator = new JwtValidator({
      issuer: keks.config.ISSUER,
      audience: keks.config.AUDIENCE,
      jwksUri: `${keks.url}/.well-known/jwks.json`,
      introspectionEndpoint: `${keks.url}/oauth/introspect`,
      revocationsEndpoint: `${keks.url}/oauth/revocations`,
      revocations: 'exact',
      clientId: api.clientId,
      clientSecret: api.clientSecret,
      now: () => keks.clock.now(),
      timeoutMs: PATIENT_MS,
      ...more,
    });
    validators.push(validator);
    return validator;
  }

  const alone = (): JwtValidator => guard({ introspectionEndpoint: `${counter.url}/oauth/introspect` });

  async function jwt(): Promise<string> {
    const answer = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });
    return (answer.body as { token: string }).token;
  }

  const isActive = async (validator: JwtValidator, token: string): Promise<boolean> =>
    (await validator.validate(token)).active;

  it('wants to know who asks', () => {
    expect(() => guard({ clientId: '' })).toThrow(TypeError);
    expect(() => guard({ revocationsEndpoint: 'http://auth.example/oauth/revocations' })).toThrow(TypeError);
  });

  describe('with a lease asks nobody', () => {
    it('about a token that lives, and about one that was revoked', async () => {
      const validator = alone();
      const [dead, living] = [await jwt(), await jwt()];
      expect([await isActive(validator, dead), await isActive(validator, living)]).toEqual([true, true]);
      await post(keks.url, '/revoke', { token: dead });
      expect([await isActive(validator, dead), await isActive(validator, living)]).toEqual([false, true]);
      expect(validator.lease?.leaseMs).toBeGreaterThan(0);
      expect(counter.questions).toEqual([]);
    });

    it('when a login ends, and its user has others', async () => {
      const validator = alone();
      const living = await jwt();
      const { token, refresh_token } = await stayLoggedIn(keks, 'Ann', { format: 'jwt' });
      expect(await isActive(validator, token)).toBe(true);
      await post(keks.url, '/revoke', { token: refresh_token });
      expect([await isActive(validator, token), await isActive(validator, living)]).toEqual([false, true]);
      expect(counter.questions).toEqual([]);
    });

    it('in three guards at once, each of which is told before the revoke is answered', async () => {
      const guards = [alone(), alone(), alone()];
      const tokens = await Promise.all(Array.from({ length: 15 }, () => jwt()));
      const verdicts = await Promise.all(
        tokens.map(async (token) => {
          const before = await Promise.all(guards.map((one) => isActive(one, token)));
          await post(keks.url, '/revoke', { token });
          return [before, await Promise.all(guards.map((one) => isActive(one, token)))];
        }),
      );
      expect(verdicts).toEqual(
        tokens.map(() => [
          [true, true, true],
          [false, false, false],
        ]),
      );
      expect(counter.questions).toEqual([]);
    });
  });

  it('asks once about each token of a client whose tokens were taken back', async () => {
    const validator = guard();
    const client = await addClient(keks, { tokenFormat: 'jwt' });
    const { access_token: before } = await clientToken(keks, client);
    expect(await isActive(validator, before)).toBe(true);
    const admin = { authorization: `Bearer ${await keks.login('Ann')}` };
    await request(keks.url, `/admin/clients/${client.clientId}/revoke`, { method: 'POST', headers: admin });
    expect(await isActive(validator, before)).toBe(false);
    const { access_token: after } = await clientToken(keks, client);
    expect(await isActive(validator, after)).toBe(true);
    const fresh = alone();
    // it knows the entry, and nobody answers it
    await expect(fresh.validate(after)).rejects.toThrow(NoVerdict);
  });

  it('says nothing when it has no lease and the authority is away', async () => {
    const validator = guard();
    const token = await jwt();
    expect(await isActive(validator, token)).toBe(true);
    const outage = await takeAway(keks.database);
    await expect.poll(() => validator.validate(token).catch(() => 'nothing')).toBe('nothing');
    await outage.end();
    await expect.poll(() => isActive(validator, token).catch(() => false)).toBe(true);
  });

  it('asks about every token while the feed cannot be had', async () => {
    const validator = guard({ revocationsEndpoint: `${counter.url}/oauth/revocations` });
    const token = await jwt();
    expect(await isActive(validator, token)).toBe(true);
    await post(keks.url, '/revoke', { token });
    expect(await isActive(validator, token)).toBe(false);
    expect(validator.lease?.leaseMs).toBe(0);
  });

  it('says why it has no lease: to whoever reads its state, and once in a warning', async () => {
    const warnings: string[] = [];
    const hear = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`);
    process.on('warning', hear);
    const stranger = await addClient(keks, { name: 'no API', scope: [] });
    const validator = guard({ clientId: stranger.clientId, clientSecret: stranger.clientSecret });
    await validator.validate(await jwt());
    const why = 'The revocation feed answered 400 (unauthorized_client) instead of 200.';
    expect(validator.lease).toMatchObject({ leaseMs: 0, fault: why });
    const said = `KeksGuardWarning: no lease, so the authority is asked about every token: ${why}`;
    await expect.poll(() => warnings).toEqual([said]);
    // it goes on trying; what it cannot do has been said
    const { length } = keks.log;
    await expect.poll(() => keks.log.length).toBeGreaterThan(length + 2);
    expect(warnings).toEqual([said]);
    process.off('warning', hear);
  });

  it('has no fault while it has a lease, and names an outage', async () => {
    const validator = guard();
    const token = await jwt();
    expect(await isActive(validator, token)).toBe(true);
    expect(validator.lease).not.toHaveProperty('fault');
    const outage = await takeAway(keks.database);
    await expect.poll(() => validator.lease?.fault).toMatch(/^The revocation feed /);
    await outage.end();
    await isActive(validator, token).catch(() => undefined);
    await expect.poll(() => validator.lease).not.toHaveProperty('fault');
  });

  it('a token of a login says which one', async () => {
    const { token } = await stayLoggedIn(keks, 'Ann', { format: 'jwt' });
    const { rows } = await keks.database.client.query('SELECT id FROM grants WHERE id = $1', [
      claimsOf(token)['sid'],
    ]);
    expect(rows).toHaveLength(1);
  });
});

describe('LeaseClock', () => {
  const at = { monotonic: 0, wall: 0 };
  const clock = new LeaseClock({ monotonic: () => at.monotonic, wall: () => at.wall });

  it.each([
    ['as time goes by', 400, 400, 590],
    ['after a machine has slept: the monotonic clock stood still', 0, 5_000, -4_010],
    ['with a wall clock that is corrected a little', 400, 385, 590],
    ['after the wall clock was set back, which may hide a sleep', 400, -90_000, -10],
    ['after a machine has slept, and its wall clock was set back by nearly as much', 400, 300, -10],
  ])('%s', (_, monotonic, wall, left) => {
    Object.assign(at, { monotonic: 0, wall: 0 });
    const stamp = clock.stamp();
    Object.assign(at, { monotonic, wall });
    expect(clock.left(1_000, stamp)).toBe(left);
  });
});

describe('RevocationSet', () => {
  const names = { jti: 'j', sub: 's', kid: 'k', sid: 'g', exp: 1_000 };
  const entry = (kind: string, key: string, sub?: string) => ({ kind, key, sub, exp: 1_000 });

  it.each([
    ['the token', entry('token', 'j'), 'dead'],
    ['another token', entry('token', 'x'), 'not named'],
    ['its login', entry('grant', 'g', 's'), 'dead'],
    ['another login of its user', entry('grant', 'x', 's'), 'not named'],
    ['its key', entry('key', 'k'), 'dead'],
    ['all of its user', entry('subject', 's'), 'unknown'],
    ['all of another user', entry('subject', 'x'), 'not named'],
    ['everything', entry('all', ''), 'unknown'],
    ['a kind that nobody here knows', entry('tea', 'j'), 'unknown'],
  ])('an entry of %s', (_, one, verdict) => {
    const set = new RevocationSet();
    set.add(one);
    expect(set.judge(names, -1)).toBe(verdict);
  });

  it('who acts: asked about are the tokens in which one acts, at whatever depth, once for each end (RFC 8693 §4.1)', () => {
    const set = new RevocationSet();
    const exchanged = { ...names, actors: ['a', 'b'] };
    set.add(entry('actor', 'x'));
    expect(set.judge(exchanged, -1)).toBe('not named');
    for (const actor of ['b', 'a']) {
      const cleared = set.now;
      set.add(entry('actor', actor));
      expect([set.judge(exchanged, cleared), set.judge(names, -1)]).toEqual(['unknown', 'not named']);
      expect(set.judge(exchanged, set.now)).toBe('not named');
    }
  });

  it('a token without a login is asked about when any login of its subject ends, once for each end', () => {
    const set = new RevocationSet();
    const ofClient = { ...names, sid: undefined };
    set.add(entry('grant', 'x', 's'));
    expect(set.judge(ofClient, -1)).toBe('unknown');
    const cleared = set.now;
    expect(set.judge(ofClient, cleared)).toBe('not named');
    set.add(entry('grant', 'y', 's'));
    expect(set.judge(ofClient, cleared)).toBe('unknown');
  });

  it('an entry stays beyond the expiry of its tokens, for clocks that are set back', () => {
    const set = new RevocationSet();
    set.add(entry('token', 'j'));
    set.forget(1_500);
    expect(set.judge(names, -1)).toBe('dead');
    set.forget(1_700);
    expect(set.size).toBe(0);
  });
});
