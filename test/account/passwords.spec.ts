import { compare } from 'bcrypt';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { derivedKey } from '../../src/auth/secrets/derived-key.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { LoginLane, loginsAtOnce } from '../../src/auth/users/login-lane.js';
import { PasswordHash } from '../../src/auth/users/password-hash.js';
import { PasswordPolicy } from '../../src/auth/users/password-policy.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { Unavailable } from '../../src/http/errors/unavailable.js';
import { PASSWORD, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

const [OLD = Buffer.of(), NEW = Buffer.of()] = ['old', 'new'].map((name) =>
  createHash('sha256').update(name).digest(),
);

function hasher(secret: Buffer, cost = 4, previous?: Buffer): PasswordHash {
  return new PasswordHash({
    SECRET_KEY: secret,
    SECRET_KEY_PREVIOUS: previous && [previous],
    BCRYPT_COST: cost,
  });
}

/** Format, pepper and cost of a stored hash. */
const shape = (stored: unknown): string => String(stored).slice(0, 'keks1$12345678$$2b$05$'.length);

/** What a test holds back until it lets go. */
function gate(): { promise: Promise<void>; open: () => void } {
  const opened: (() => void)[] = [];
  const promise = new Promise<void>((resolve) => opened.push(resolve));
  return { promise, open: () => opened[0]?.() };
}

describe('PasswordHash', () => {
  const hash = hasher(NEW);

  it('is bcrypt(base64(HMAC-SHA-384(password, pepper))) behind a tag', async () => {
    const stored = await hash.make(PASSWORD);
    const parts = /^keks1\$[0-9a-f]{8}\$(\$2b\$04\$[./A-Za-z0-9]{53})$/.exec(stored);
    const inner = createHmac('sha384', derivedKey(NEW, 'pepper', 48))
      .update(PASSWORD, 'utf8')
      .digest('base64');
    expect(inner).toHaveLength(64);
    expect(await compare(inner, parts?.[1] ?? '')).toBe(true);
    expect(await compare(PASSWORD, parts?.[1] ?? '')).toBe(false);
  });

  it('salts: the same password twice is two hashes', async () => {
    expect(await hash.make(PASSWORD)).not.toBe(await hash.make(PASSWORD));
  });

  it('matches its own and nothing else', async () => {
    const stored = await hash.make(PASSWORD);
    expect(await hash.matches(PASSWORD, stored)).toBe(true);
    for (const near of ['', `${PASSWORD} `, ` ${PASSWORD}`, PASSWORD.toUpperCase(), PASSWORD.slice(1)])
      expect(await hash.matches(near, stored)).toBe(false);
  });

  it('is not cut at 72 bytes, nor at a NUL, as bcrypt alone would be', async () => {
    const common = 'x'.repeat(72);
    const stored = await hash.make(`${common}a`);
    expect(await hash.matches(`${common}a`, stored)).toBe(true);
    expect(await hash.matches(`${common}b`, stored)).toBe(false);
    expect(await hash.matches(common, stored)).toBe(false);
    const withNul = await hash.make('a\0b');
    expect(await hash.matches('a\0c', withNul)).toBe(false);
  });

  it('needs the pepper: a stolen table is of no use without SECRET_KEY', async () => {
    const stored = await hash.make(PASSWORD);
    const stolen = stored.replace(/^keks1\$.{8}/, (await hasher(OLD).make('x')).slice(0, 14));
    expect(await hasher(OLD).matches(PASSWORD, stolen)).toBe(false);
  });

  it('knows the previous peppers, and under one that it has not no password is right', async () => {
    const stored = await hasher(OLD).make(PASSWORD);
    expect(await hasher(NEW, 4, OLD).matches(PASSWORD, stored)).toBe(true);
    expect(await hasher(NEW, 4, OLD).matches('wrong', stored)).toBe(false);
    for (const strange of [stored, 'plain text', ''])
      expect(await hasher(NEW).matches(PASSWORD, strange)).toBe(false);
  });

  it('is outdated when the cost has risen or the pepper has moved; a higher cost stays', async () => {
    const stored = await hasher(OLD).make(PASSWORD);
    expect(hasher(OLD).isOutdated(stored)).toBe(false);
    expect(hasher(OLD, 5).isOutdated(stored)).toBe(true);
    expect(hasher(OLD).isOutdated(await hasher(OLD, 5).make(PASSWORD))).toBe(false);
    expect(hasher(NEW, 4, OLD).isOutdated(stored)).toBe(true);
    expect(hasher(NEW, 4, OLD).isOutdated(await hasher(NEW).make(PASSWORD))).toBe(false);
  });

  it('compares with a dummy of the very parameters of a real hash when there is nobody', async () => {
    const other = hasher(NEW, 5);
    const dummy: unknown = await Reflect.get(other, 'dummy');
    expect(shape(dummy)).toBe(shape(await other.make(PASSWORD)));
    expect(shape(dummy)).toMatch(/\$05\$$/);
    expect(other.isOutdated(String(dummy))).toBe(false);
  });

  it('compares with a dummy of the highest cost met, so that the time tells nobody apart', async () => {
    const other = hasher(NEW, 4);
    await other.matches(PASSWORD, await hasher(NEW, 6).make(PASSWORD));
    await other.matches(PASSWORD, await hasher(NEW, 5).make(PASSWORD));
    expect(shape(await Reflect.get(other, 'dummy'))).toMatch(/\$06\$$/);
  });

  it('makes hashes that no password has, which look like any other', async () => {
    const unusable = hash.unusable();
    expect(shape(unusable)).toBe(shape(await hash.make('x')));
    expect(hash.isOutdated(unusable)).toBe(false);
    for (const password of ['', 'x', PASSWORD, unusable])
      expect(await hash.matches(password, unusable)).toBe(false);
  });

  it('never matches nobody, not even by the dummy’s own hash', async () => {
    for (const password of ['', 'x', PASSWORD]) expect(await hash.matches(password, undefined)).toBe(false);
  });
});

describe('PasswordPolicy', () => {
  const policy = new PasswordPolicy({ PASSWORD_MIN_LENGTH: 15 });
  const judged = async (by: PasswordPolicy, password: string, about: readonly string[]) =>
    by.plainFlawOf(password, about) ??
    ((await by.isGuessable(password, about)) ? ('too_common' as const) : undefined);
  const flawOf = (password: string, name = 'Wilhelmina.Kuchenbecker') => judged(policy, password, [name]);

  it.each([
    PASSWORD,
    'correct-unusual-donkey-battery',
    'жёлтый чемодан уплыл вчера',
    '🍪 eaten by an owl 🦉 twice',
    'bahnhofs kiosk quitte 7',
    'q8Zr-vT2m_Lx5p+Wd',
    `${PASSWORD} `.repeat(4).slice(0, 150),
    `${'kettle of slow amber fish '.repeat(3)}${'é'.repeat(400)}`,
  ])('accepts %j', async (password) => expect(await flawOf(password)).toBeUndefined());

  it('counts characters and not code units or bytes', async () => {
    expect(await flawOf('q8Zr-vT2m_Lx5p')).toBe('too_short');
    expect(await flawOf('q8Zr-vT2m_Lx5pé')).toBeUndefined();
    expect(await flawOf('🍪🦉🚲🌂🧵🪗🎲')).toBe('too_short');
    expect(await flawOf('')).toBe('too_short');
  });

  it('asks for no composition: lower case alone will do', async () => {
    expect(await flawOf('hedgehog umbrella quartz tuba')).toBeUndefined();
  });

  it.each([
    ['the most common', 'passwordpassword'],
    ['a common one made long', 'password1234567'],
    ['another common one', 'iloveyouiloveyou'],
    ['with letters replaced', 'p4ssw0rdp4ssw0rd'],
    ['a repeated character', 'aaaaaaaaaaaaaaaaaaaa'],
    ['many repeated characters', 'a'.repeat(100)],
    ['a repeated word', 'abcabcabcabcabcabc'],
    ['a sequence', 'abcdefghijklmnopqrstuvwxyz'],
    ['a sequence of digits', '12345678901234567890'],
    ['a sequence backwards', '98765432109876543210'],
    ['a walk over the keyboard', 'qwertyuiopasdfghjkl'],
    ['a walk over the German keyboard', 'qwertzuiopasdfghjkl'],
    ['the name', 'wilhelmina.kuchenbecker'],
    ['the name and a year', 'Wilhelmina.Kuchenbecker2024'],
    ['the product', 'cookiefactorycookiefactory'],
    ['the product’s user', 'CookieDestroyer1'],
    ['the product and digits', 'keksdose12345678'],
  ])('refuses %s', async (_, password) => expect(await flawOf(password)).toBe('too_common'));

  it.each([
    ['a lone high surrogate', `${PASSWORD}\ud800`, 'ill_formed'],
    ['a NUL in it', `${PASSWORD}\0 and tea`, 'ill_formed'],
    ['a NUL behind it', `${PASSWORD}\0`, 'ill_formed'],
    ['a lone low surrogate', `\udc00${PASSWORD}`, 'ill_formed'],
    ['1,025 bytes', `${PASSWORD}${'é'.repeat(493)}x`, 'too_long'],
  ])('refuses %s', async (_, password, flaw) => {
    if (flaw === 'too_long') expect(Buffer.byteLength(password)).toBe(1_025);
    expect(await flawOf(password)).toBe(flaw);
  });

  it.each([
    'keks lecker keks lecker',
    '2024-01-01 2024-01-01',
    'Hello-World-hello-world',
    'CookieDestroyer 2026!',
    'zoe.keks.cookie.1234',
  ])('refuses repeats and what is made of known words: %s', async (password) => {
    expect(await judged(policy, password, ['Zoe'])).toBe('too_common');
  });

  it.each([
    'correcthorsebatterystaple',
    'Correct Horse Battery Staple!',
    'correct-horse-battery-staple-2026',
    'tobeornottobethatisthequestion',
    'To be, or not to be: that is the question',
    'M4y th3 F0rc3 b3 w1th y0u',
    'TrustNo1.TrustNo1.Trust',
    'thisismypassword',
    'Sein oder nicht sein, das ist hier die Frage',
    'Sesam, öffne dich, Sesam!',
  ])('refuses a phrase that everybody knows: %s', async (password) => {
    expect(await flawOf(password)).toBe('too_common');
  });

  it.each([
    '!QAZ2wsx#EDC4rfv',
    '1qaz@WSX3edc$RFV',
    '1qaz2wsx3edc4rfv',
    'zaq1XSW@cde3VFR$',
    '!@#$%^&*()_+qwert',
    '1q2w3e4r5t6y7u8i',
    '!Q"W§E$R%T&Z/U(I',
    'yaq1xsw2cde3vfr4',
  ])('refuses lines of keys: %s', async (password) => {
    expect(await flawOf(password)).toBe('too_common');
  });

  it('refuses none of 2,000 that were drawn', async () => {
    const drawn = Array.from({ length: 2_000 }, () => randomBytes(12).toString('base64'));
    expect(drawn.map((one) => policy.plainFlawOf(one, ['Zoe']))).toEqual(drawn.map(() => undefined));
  });

  it('takes PASSWORD_MIN_LENGTH at its word', async () => {
    const short = new PasswordPolicy({ PASSWORD_MIN_LENGTH: 8 });
    expect(await judged(short, 'q8Zr-vT2mX4w', [])).toBeUndefined();
    expect(await judged(short, 'q8Zr-vT', [])).toBe('too_short');
    expect(await judged(new PasswordPolicy({ PASSWORD_MIN_LENGTH: 60 }), PASSWORD, [])).toBe('too_short');
  });
});

describe('LoginLane', () => {
  const atOnce = loginsAtOnce(1);

  it('runs one or two at once, in order, and refuses at once what comes on top of 64 waiting for each', async () => {
    const lane = new LoginLane({ WORKERS: 1 });
    const gates = Array.from({ length: atOnce * 65 }, gate);
    const began: number[] = [];
    const jobs = gates.map(({ promise }, n) =>
      lane.run({ of: [] }, async () => {
        began.push(n);
        await promise;
        return n;
      }),
    );
    await expect(lane.run({ of: [] }, async () => -1)).rejects.toBeInstanceOf(Unavailable);
    const first = Array.from({ length: atOnce }, (_, n) => n);
    expect([began, lane.waiting]).toEqual([first, atOnce * 64]);
    gates[0]?.open();
    await jobs[0];
    await expect.poll(() => began).toEqual([...first, atOnce]);
    for (const { open } of gates) open();
    expect(await Promise.all(jobs)).toEqual(gates.map((_, n) => n));
    expect(lane.waiting).toBe(0);
  });

  it('goes on after work that failed', async () => {
    const lane = new LoginLane({ WORKERS: 1 });
    const failing = Array.from({ length: 5 }, () =>
      lane.run({ of: [] }, () => Promise.reject(new Error('work'))),
    );
    for (const one of failing) await expect(one).rejects.toThrow('work');
    expect(await lane.run({ of: [] }, async () => 'done')).toBe('done');
  });
});

describe('POST /issue', () => {
  let keks: TestApp;
  const logIn = (user: string, password = PASSWORD): Promise<Answer> =>
    post(keks.url, '/issue', { user, password });

  /** A user whose password was hashed under other parameters. */
  async function addOutdated(name: string, by: PasswordHash): Promise<string> {
    await keks.addUser(name);
    const hash = await by.make(PASSWORD);
    await keks.database.client.query('UPDATE users SET password_hash = $2 WHERE name = $1', [name, hash]);
    return hash;
  }

  async function storedHash(name: string): Promise<string> {
    const { rows } = await keks.database.client.query<{ password_hash: string }>(
      'SELECT password_hash FROM users WHERE name = $1',
      [name],
    );
    return rows[0]?.password_hash ?? '';
  }

  beforeAll(async () => {
    keks = await startTestApp({
      SECRET_KEY: NEW.toString('hex'),
      SECRET_KEY_PREVIOUS: OLD.toString('hex'),
      BCRYPT_COST: '5',
    });
  });

  afterAll(() => keks.close());

  describe('rehashes at the login', () => {
    it.each([
      ['another cost', hasher(NEW, 4)],
      ['the previous SECRET_KEY', hasher(OLD, 5)],
      ['both', hasher(OLD, 4)],
    ])('when the hash is of %s', async (what, by) => {
      const before = await addOutdated(what, by);
      expect((await logIn(what, 'wrong')).status).toBe(401);
      expect(await storedHash(what)).toBe(before);
      expect((await logIn(what)).status).toBe(200);
      const after = await storedHash(what);
      expect(after).not.toBe(before);
      expect(hasher(NEW, 5).isOutdated(after)).toBe(false);
      expect((await logIn(what)).status).toBe(200);
      expect(await storedHash(what)).toBe(after);
    });

    it('and leaves a hash of today’s parameters as it is', async () => {
      await keks.addUser('Current');
      const before = await storedHash('Current');
      expect((await logIn('Current')).status).toBe(200);
      expect(await storedHash('Current')).toBe(before);
    });

    it('once, however many log in at once, and all of them get in', async () => {
      await addOutdated('Popular', hasher(OLD, 4));
      const answers = await Promise.all(Array.from({ length: 12 }, () => logIn('Popular')));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(hasher(NEW, 5).isOutdated(await storedHash('Popular'))).toBe(false);
    });

    it('but not a user who is disabled', async () => {
      const before = await addOutdated('Disabled', hasher(OLD, 4));
      await keks.app.get(UsersService).setDisabled('Disabled', true, OPERATOR);
      expect((await logIn('Disabled')).status).toBe(401);
      expect(await storedHash('Disabled')).toBe(before);
    });
  });

  it('500 at once: as many wait as the lane takes, all others hear 503 before anybody is served', async () => {
    await keks.addUser('Crowd');
    const lane = keks.app.get(LoginLane);
    const hold = gate();
    const held = Array.from({ length: loginsAtOnce(1) }, () => lane.run({ of: [] }, () => hold.promise));
    const places = loginsAtOnce(1) * 64;
    let refused = 0;
    const logins = Array.from({ length: 500 }, async () => {
      const answer = await logIn('Crowd');
      if (answer.status === 503) refused += 1;
      return answer.status;
    });
    await expect.poll(() => refused, { timeout: 90_000 }).toBe(500 - places);
    expect(lane.waiting).toBe(places);
    hold.open();
    await Promise.all(held);
    expect((await Promise.all(logins)).filter((status) => status === 200)).toHaveLength(places);
    expect(lane.waiting).toBe(0);
  });

  it('503 with Retry-After when the lane is full, for a user and for nobody alike; then all is well', async () => {
    await keks.addUser('Patient');
    const lane = keks.app.get(LoginLane);
    const hold = gate();
    const held = Array.from({ length: loginsAtOnce(1) * 65 }, () => lane.run({ of: [] }, () => hold.promise));
    for (const user of ['Patient', 'Nobody']) {
      const answer = await logIn(user);
      expect([answer.status, answer.body]).toMatchObject([503, { error: 'temporarily_unavailable' }]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.headers.get('www-authenticate')).toBeNull();
    }
    hold.open();
    await Promise.all(held);
    expect((await logIn('Patient')).status).toBe(200);
  });
});
