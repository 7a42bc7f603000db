import { createHash, randomBytes } from 'node:crypto';
import passport from 'passport';
import { afterEach, describe, expect, it } from 'vitest';
import { KeySchedule } from '../../src/auth/keys/key-schedule.js';
import { LocalStrategy } from '../../src/auth/local.strategy.js';
import { SETTLES_IN_MS } from '../../src/auth/secrets/secret-key-register.js';
import { checkSecretKeys } from '../../src/cli/verbs/doctor/secret-key-checks.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { addClient, basic, issued, refresh, submit, type TestClient } from '../support/oauth.js';
import { get, PASSWORD, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

const [A, B, C] = [1, 2, 3].map((n) => createHash('sha256').update(String(n)).digest('hex')) as [
  string,
  string,
  string,
];

/** What an instance makes with, and what else it accepts. */
type Keys = readonly [making: string, ...accepted: string[]];

const USER = 'Ann';
const SCOPE = 'cookies:eat keks:account offline_access';

/** Two instances over one database, of which any is replaced by one with other keys at any time. */
class Pair {
  readonly instances: (TestApp | undefined)[] = [];
  private readonly keys: Keys[] = [];
  private elapsed = 0;

  private constructor(readonly database: TestDatabase) {}

  static async of(...keys: Keys[]): Promise<Pair> {
    const pair = new Pair(await createDatabase());
    for (const [at, own] of keys.entries()) await pair.restart(at, own);
    await pair.at(0).addUser(USER, 'cookies:eat keks:admin');
    return pair;
  }

  at(instance: number): TestApp {
    const app = this.instances[instance];
    if (!app) throw new Error(`there is no instance ${instance}`);
    return app;
  }

  get both(): TestApp[] {
    return [this.at(0), this.at(1)];
  }

  /** One of those whose keys are the same. */
  get different(): TestApp[] {
    return this.keys[0]?.join() === this.keys[1]?.join() ? [this.at(1)] : this.both;
  }

  async restart(instance: number, keys: Keys): Promise<void> {
    await this.instances[instance]?.app.close();
    const [making, ...accepted] = keys;
    const app = await startTestApp(
      { SECRET_KEY: making, SECRET_KEY_PREVIOUS: accepted.join(','), REFRESH_GRACE_PERIOD: '300' },
      { ...this.database, close: async () => undefined },
    );
    app.clock.advance(this.elapsed);
    this.instances[instance] = app;
    this.keys[instance] = keys;
    await app.app.get(KeySchedule).run();
  }

  /**
   * Time goes by, and each instance does what it does each minute.
   * @param stride or less often, but before it is taken for gone
   */
  async wait(seconds: number, stride = 60): Promise<void> {
    for (let left = seconds; left > 0; left -= stride) {
      this.elapsed += stride;
      for (const app of this.both) {
        app.clock.advance(stride);
        await app.app.get(KeySchedule).run();
      }
    }
  }

  async hash(name = USER): Promise<string> {
    const { rows } = await this.database.client.query<{ password_hash: string }>(
      'SELECT password_hash FROM users WHERE name = $1',
      [name],
    );
    return rows[0]?.password_hash ?? '';
  }

  /** What `keks doctor` would say where an instance runs. */
  async doctor(keys: Keys): Promise<string[]> {
    const [making, ...accepted] = keys.map((key) => Buffer.from(key, 'hex')) as [Buffer, ...Buffer[]];
    const found = await checkSecretKeys(this.database.client, {
      SECRET_KEY: making,
      SECRET_KEY_PREVIOUS: accepted,
      now: new Date(Date.now() + this.elapsed * 1_000),
    });
    return found.map(({ status, check, message }) => `${status} ${check}: ${message}`);
  }

  async close(): Promise<void> {
    for (const app of this.instances) await app?.app.close();
    await this.database.close();
  }
}

/** Everything that an instance makes. Refresh tokens are renewed as they are used. */
interface Made {
  readonly opaque: string;
  readonly jwt: string;
  readonly key: string;
  readonly client: TestClient;
  readonly clientToken: string;
  refreshToken: string;
}

async function make(keks: TestApp): Promise<Made> {
  const login = async (more: object = {}): Promise<Record<string, string>> => {
    const answer = await logIn(keks, { user: USER, password: PASSWORD, scope: SCOPE, ...more });
    expect(answer.status).toBe(200);
    return answer.body as Record<string, string>;
  };
  const opaque = await login();
  const jwt = await login({ format: 'jwt' });
  const bearer = { authorization: `Bearer ${opaque['token']}` };
  const key = await post(keks.url, '/keys', { label: 'k', scope: 'cookies:eat', password: PASSWORD }, bearer);
  expect(key.status).toBe(201);
  const client = await addClient(keks, { scope: ['cookies:eat'], audience: [keks.config.AUDIENCE] });
  const token = issued(await clientCredentials(keks, client)).access_token;
  return {
    opaque: opaque['token'] ?? '',
    jwt: jwt['token'] ?? '',
    key: (key.body as { key: string }).key,
    client,
    clientToken: token,
    refreshToken: opaque['refresh_token'] ?? '',
  };
}

const clientCredentials = (keks: TestApp, client: TestClient): Promise<Answer> =>
  submit(keks.url, '/oauth/token', { grant_type: 'client_credentials' }, basic(client));

/** The status of each use of all that was made: one line a use. */
async function uses(keks: TestApp, other: TestApp, made: Made): Promise<Record<string, number>> {
  const cookie = async (token: string): Promise<number> => (await get(keks.url, '/cookies', token)).status;
  const [opaque, jwt, apiKey, ofClient, secret, introspection] = await Promise.all([
    cookie(made.opaque),
    cookie(made.jwt),
    cookie(made.key),
    cookie(made.clientToken),
    clientCredentials(keks, made.client),
    submit(keks.url, '/oauth/introspect', { token: made.opaque }, basic(made.client)),
  ]);
  const active = (introspection.body as { active?: boolean }).active;
  const first = await refresh(keks, made.refreshToken);
  // the answer was lost, and the client asks again elsewhere
  const again = first.status === 200 ? await refresh(other, made.refreshToken) : first;
  const next = (first.body as { refresh_token?: string }).refresh_token;
  if (first.status === 200 && again.status === 200) {
    expect((again.body as { refresh_token?: string }).refresh_token).toBe(next);
    made.refreshToken = next ?? '';
  }
  return {
    opaque,
    jwt,
    'API key': apiKey,
    'token of a client': ofClient,
    'client secret': secret.status,
    introspection: active === false ? 401 : introspection.status,
    refresh: first.status,
    'refresh again': again.status,
  };
}

/** passport has one registry a process: of several instances in it, each has to come to its own strategy. */
function logIn(keks: TestApp, body: object): Promise<Answer> {
  passport.use('local', keks.app.get(LocalStrategy, { strict: false }));
  return post(keks.url, '/issue', body);
}

const login = async (keks: TestApp, password = PASSWORD): Promise<number> =>
  (await logIn(keks, { user: USER, password })).status;

const jwtLogin = async (keks: TestApp): Promise<number> =>
  (await logIn(keks, { user: USER, password: PASSWORD, format: 'jwt' })).status;

const GOOD = {
  opaque: 200,
  jwt: 200,
  'API key': 200,
  'token of a client': 200,
  'client secret': 200,
  introspection: 200,
  refresh: 200,
  'refresh again': 200,
};

describe('SECRET_KEY, replaced instance by instance', () => {
  const pairs: Pair[] = [];
  const pairOf = async (...keys: Keys[]): Promise<Pair> => {
    const pair = await Pair.of(...keys);
    pairs.push(pair);
    return pair;
  };

  afterEach(async () => {
    for (const pair of pairs.splice(0)) await pair.close();
  });

  it.each<[string, Keys[]]>([
    ['accepted, makes, gone', [[A], [A, B], [B, A], [B]]],
    ['taken back half-way', [[A], [A, B], [B, A], [A, B], [A]]],
    [
      'with another old key that lives on',
      [
        [B, A],
        [B, A, C],
        [C, B, A],
        [C, B],
      ],
    ],
    ['the same list everywhere', [[A], [A, A, B], [B, A, B], [B]]],
  ])('in steps refuses nothing that lives: %s', async (_, steps) => {
    const [first = [A]] = steps;
    const pair = await pairOf(first, first);
    const made: Made[] = [];
    const check = async (): Promise<void> => {
      // the first, and the newest: each check of one takes its time; two that have the same keys make the same
      made.splice(1, made.length - 1);
      for (const keks of pair.different) made.push(await make(keks));
      for (const one of made)
        for (const [at, keks] of pair.both.entries())
          expect(await uses(keks, pair.at(1 - at), one)).toEqual(GOOD);
      for (const keks of pair.both) expect([await login(keks), await jwtLogin(keks)]).toEqual([200, 200]);
      for (const keks of pair.both) expect(keks.log.filter((line) => /"status":5/.test(line))).toEqual([]);
    };
    await check();
    for (const [at, keys] of steps.slice(1).entries()) {
      // those that lived when the key went: it was waited for, as the doctor said
      if (keys.length < 2) await untilNothingNeeds(pair, made, steps[at] ?? [A], keys);
      const order = at % 2 === 0 ? [0, 1] : [1, 0];
      for (const instance of order) {
        await pair.restart(instance, keys);
        await check();
      }
      await pair.wait(SETTLES_IN_MS / 1_000 + 360, 180);
      await check();
    }
  });

  /** What an operator does before a key goes: ends what still needs it, or waits for its end. Here, the first. */
  async function untilNothingNeeds(pair: Pair, made: Made[], before: Keys, keys: Keys): Promise<void> {
    expect((await pair.doctor(before)).join('\n')).toContain('still needed by');
    const goes = before.filter((key) => !keys.includes(key));
    expect(goes).toHaveLength(1);
    const client = pair.database.client;
    await client.query('UPDATE grants SET revoked_at = now() WHERE revoked_at IS NULL');
    await client.query('DELETE FROM client_secrets');
    made.splice(0);
    await pair.wait(60);
    expect((await pair.doctor(before)).filter((line) => !line.startsWith('ok'))).toEqual([]);
    expect((await pair.doctor(before)).join('\n')).toContain('nothing needs it: it may go');
  }

  describe('in the wrong order refuses cleanly, and the doctor says so', () => {
    it('a key that makes before it is accepted everywhere', async () => {
      const pair = await pairOf([A], [A]);
      await pair.restart(1, [B, A]);
      const early = await make(pair.at(1));
      expect(await uses(pair.at(1), pair.at(1), early)).toEqual(GOOD);
      expect(await uses(pair.at(0), pair.at(1), early)).toEqual({
        ...GOOD,
        opaque: 401,
        'API key': 401,
        'token of a client': 401,
        'client secret': 401,
        introspection: 401,
        refresh: 400,
        'refresh again': 400,
      });
      // no hash has moved, so nobody is locked out of the other instance; nor does any later
      for (const seconds of [0, SETTLES_IN_MS / 1_000 + 60]) {
        await pair.wait(seconds);
        for (const keks of pair.both.toReversed())
          expect([await login(keks), await jwtLogin(keks)]).toEqual([200, 200]);
      }
      expect((await pair.doctor([A])).join('\n')).toMatch(
        /fail secret key: another instance makes with \w{8}, which is not accepted here/,
      );
      expect((await pair.doctor([B, A])).join('\n')).toMatch(
        /fail secret key: \w{8} is made with, and another instance does not accept it/,
      );
      // Nest has one logger a process
      const log = pair.both.flatMap((keks) => keks.log);
      const warnings = log.filter((line) => line.includes('put it into SECRET_KEY_PREVIOUS'));
      expect(warnings).toHaveLength(1);
    });

    it('a key that goes while something needs it', async () => {
      const pair = await pairOf([A], [A]);
      const old = await make(pair.at(0));
      await pair.restart(1, [B]);
      expect(await uses(pair.at(1), pair.at(0), old)).toEqual({
        ...GOOD,
        opaque: 401,
        'API key': 401,
        'token of a client': 401,
        'client secret': 401,
        introspection: 401,
        refresh: 400,
        'refresh again': 400,
      });
      const doctor = (await pair.doctor([B])).join('\n');
      expect(doctor).toMatch(/fail secret key: another instance makes with/);
      await pair.restart(0, [B]);
      await pair.wait(360);
      const after = (await pair.doctor([B])).join('\n');
      expect(after).toMatch(/fail passwords: 1 users cannot log in/);
      expect(after).toMatch(/fail signing keys: 1 are encrypted/);
      expect(after).toMatch(/warn secret key: \w{8} is not here: refused are .*1 API key .*1 client secret/);
    });

    it('a refresh token whose successor is of a key that is not here is no theft', async () => {
      const pair = await pairOf([A], [A]);
      const { refreshToken } = await make(pair.at(0));
      await pair.restart(1, [B, A]);
      const first = issued(await refresh(pair.at(1), refreshToken));
      expect((await refresh(pair.at(0), refreshToken)).status).toBe(503);
      expect(issued(await refresh(pair.at(1), refreshToken)).refresh_token).toBe(first.refresh_token);
    });
  });

  describe('a password whose key is not there', () => {
    it('is refused like a wrong one, for the right password and for a wrong one alike; counted, and warned of once', async () => {
      const pair = await pairOf([A], [A]);
      await pair.restart(1, [B]);
      const keks = pair.at(1);
      const wrong = await logIn(keks, { user: 'Nobody', password: PASSWORD });
      for (const password of [PASSWORD, 'something else altogether']) {
        const answer = await logIn(keks, { user: USER, password });
        expect([answer.status, answer.body]).toEqual([wrong.status, wrong.body]);
      }
      const { rows } = await pair.database.client.query('SELECT max(failures) AS most FROM attempt_counters');
      // from this address: the two, and the one of nobody
      expect(rows).toEqual([{ most: 3 }]);
      expect(keks.log.filter((line) => line.includes('SECRET_KEY that is not here (pepper'))).toHaveLength(1);
      expect(await login(pair.at(0))).toBe(200);
    });

    it('and a signing key whose key is not there: 503, and no other key signs', async () => {
      const pair = await pairOf([A], [A]);
      expect(await jwtLogin(pair.at(0))).toBe(200);
      await pair.restart(1, [B]);
      await pair.at(1).addUser('Ben');
      const body = { user: 'Ben', password: PASSWORD };
      expect((await logIn(pair.at(1), body)).status).toBe(200);
      const answer = await logIn(pair.at(1), { ...body, format: 'jwt' });
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      const { rows } = await pair.database.client.query('SELECT FROM signing_keys');
      expect(rows).toHaveLength(1);
    });
  });

  describe('moves hashes and signing keys', () => {
    const sealedBy = async (pair: Pair): Promise<string> => {
      const { rows } = await pair.database.client.query<{ id: string }>(
        `SELECT encode(substring(private_key FROM 1 FOR 4), 'hex') AS id FROM signing_keys`,
      );
      return rows.map(({ id }) => id).join();
    };

    it.each<[string, Keys, Keys]>([
      ['the new one makes at one of two', [A, B], [B, A]],
      ['the new one is the older of the two by its letters', [B, A], [A, B]],
    ])('to the newest key only, never to and fro: %s', async (_, older, newer) => {
      const pair = await pairOf(older, older);
      await pair.restart(1, newer);
      const [hash, sealed] = [await pair.hash(), await sealedBy(pair)];
      // before every instance has had the time to object, nothing moves
      for (const keks of [...pair.both, ...pair.both]) expect(await login(keks)).toBe(200);
      expect([await pair.hash(), await sealedBy(pair)]).toEqual([hash, sealed]);

      await pair.wait(SETTLES_IN_MS / 1_000);
      expect(await sealedBy(pair)).not.toBe(sealed);
      expect(await login(pair.at(0))).toBe(200);
      expect(await pair.hash()).toBe(hash);
      expect(await login(pair.at(1))).toBe(200);
      const moved = [await pair.hash(), await sealedBy(pair)];
      expect(moved[0]).not.toBe(hash);
      for (let round = 0; round < 3; round += 1) {
        await pair.wait(60);
        for (const keks of pair.both) expect(await login(keks)).toBe(200);
      }
      expect([await pair.hash(), await sealedBy(pair)]).toEqual(moved);
    });

    it('back, when the new key makes nowhere any more', async () => {
      const pair = await pairOf([A, B], [B, A]);
      await pair.wait(SETTLES_IN_MS / 1_000);
      expect(await login(pair.at(1))).toBe(200);
      const moved = await pair.hash();
      await pair.restart(1, [A, B]);
      expect(await login(pair.at(1))).toBe(200);
      expect(await pair.hash()).toBe(moved);
      await pair.wait(360);
      expect(await login(pair.at(0))).toBe(200);
      expect(await pair.hash()).not.toBe(moved);
      // all that the key made of late counts for it, and nothing else does
      expect((await pair.doctor([A, B])).join('\n')).toMatch(
        /is accepted here; still needed by at most \d access tokens \(until [^)]+\)$/,
      );
    });
  });

  it('counts failed logins for all instances, whichever of the keys each has', async () => {
    const steps: [Keys, Keys][] = [
      [[A], [A, B]],
      [
        [A, B],
        [B, A],
      ],
      [[B, A], [B]],
    ];
    for (const [one, other] of steps) {
      const pair = await pairOf(one, other);
      const limit = pair.at(0).config.LOGIN_FAILURES_PER_ACCOUNT;
      for (let n = 0; n < 3; n += 1) for (const keks of pair.both) await login(keks, 'wrong');
      const { rows } = await pair.database.client.query('SELECT max(failures) AS most FROM attempt_counters');
      expect(rows).toEqual([{ most: 6 }]);
      expect(limit).toBeGreaterThan(6);
    }
  });

  it('reads the positions in lists of each other', async () => {
    const pair = await pairOf([A, B], [B, A]);
    const { opaque } = await make(pair.at(0));
    for (const [at, keks] of pair.both.entries()) {
      const { body } = await get(keks.url, '/sessions?limit=1', opaque);
      const next = (body as { next: string }).next;
      expect(next).toBeTruthy();
      expect((await get(pair.at(1 - at).url, `/sessions?limit=1&cursor=${next}`, opaque)).status).toBe(200);
    }
  });

  it('tells two keys apart whose tokens name them by the same byte', async () => {
    const [one, other] = await twins();
    const pair = await pairOf([one, other], [other, one]);
    const made = [await make(pair.at(0)), await make(pair.at(1))];
    for (const each of made)
      for (const [at, keks] of pair.both.entries())
        expect(await uses(keks, pair.at(1 - at), each)).toEqual(GOOD);
    const doctor = (await pair.doctor([one, other])).join('\n');
    expect(doctor.match(/1 client secret/g)).toHaveLength(1);
  });
});

/** Two keys with the same one-byte id. */
async function twins(): Promise<[string, string]> {
  const { TokenKeys } = await import('../../src/auth/tokens/token-keys.js');
  const seen = new Map<number, string>();
  for (;;) {
    const key = randomBytes(32);
    const { id } = new TokenKeys({ SECRET_KEY: key, SECRET_KEY_PREVIOUS: undefined }).current;
    const known = seen.get(id);
    if (known !== undefined) return [known, key.toString('hex')];
    seen.set(id, key.toString('hex'));
  }
}
