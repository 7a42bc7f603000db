import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkDataDir } from '../../src/cli/verbs/doctor/machine-checks.js';
import { connectionOf } from '../../src/database/pools.js';
import { ConfigError, loadConfig, type Config } from '../../src/config/config.js';
import { SETTINGS } from '../../src/config/settings.js';
import { stopLimit } from '../../src/server/service.js';

const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const LONGER = createHash('sha384').update('keks').digest('hex');
const BASE64URL = `-_-_${createHash('sha256').update('keks').digest('base64url')}`;
const EXTERNAL = {
  DATABASE_URL: 'postgresql://keks:hunter2@db.example/keks?sslmode=verify-full',
  ISSUER: 'https://auth.example.com',
  SECRET_KEY: KEY,
};
const folders: string[] = [];

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'keks-config-'));
  folders.push(made);
  return made;
}

afterAll(() => folders.forEach((one) => rmSync(one, { recursive: true, force: true })));

const load = (extra: Record<string, string> = {}): Config => loadConfig({ ...EXTERNAL, ...extra });

function problemsOf(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  describe('with DATABASE_URL', () => {
    it('has the documented defaults', () => {
      expect(load()).toMatchObject({
        embedded: false,
        PORT: 3_000,
        WORKERS: 1,
        DATABASE_TIMEOUT: 400,
        HOST: '127.0.0.1',
        KEEP_ALIVE: 65,
        DATA_DIR: './.data',
        ISSUER: 'https://auth.example.com',
        AUDIENCE: 'https://auth.example.com',
        REALM: 'CookieFactory',
        ACCESS_TOKEN_TTL: 3_600,
        REFRESH_TOKEN_TTL: 30 * 86_400,
        SESSION_TTL: 90 * 86_400,
        SIGNING_KEY_TTL: 30 * 86_400,
        SIGNING_KEY_PUBLISH: 600,
        REFRESH_GRACE_PERIOD: 10,
        LOGIN_FAILURES_PER_ACCOUNT: 10,
        LOGIN_FAILURES_PER_ADDRESS: 100,
        LOGIN_FAILURES_IN_A_ROW: 100,
        LOGINS_PER_ACCOUNT: 300,
        LOGIN_FAILURE_WINDOW: 900,
        BCRYPT_COST: 12,
        PASSWORD_MIN_LENGTH: 15,
        ALLOW_HTTP: false,
        HSTS_SUBDOMAINS: false,
        LOG_LEVEL: 'info',
        DEMO: false,
        HOME_PAGE: 'story',
        SHUTDOWN_DELAY: 5,
      });
      expect(load().SECRET_KEY).toEqual(Buffer.from(KEY, 'hex'));
      expect(load().SECRET_KEY_PREVIOUS).toBeUndefined();
    });

    it('wants ISSUER and SECRET_KEY, and says how to get one', () => {
      const problems = problemsOf({ DATABASE_URL: EXTERNAL.DATABASE_URL });
      expect(problems).toHaveLength(2);
      expect(problems.join('\n')).toMatch(/^ISSUER .*\nSECRET_KEY .*openssl rand -hex 32/);
    });

    it('refuses the demo user, whose password everybody knows', () => {
      expect(problemsOf({ ...EXTERNAL, DEMO: 'true' })).toEqual([expect.stringMatching(/^DEMO /)]);
    });

    it('writes no file', () => {
      const DATA_DIR = join(folder(), 'none');
      load({ DATA_DIR });
      expect(() => statSync(DATA_DIR)).toThrow('ENOENT');
    });
  });

  describe('without DATABASE_URL', () => {
    it('is embedded, with the demo user, its own issuer and no delay at the end', () => {
      const config = loadConfig({ DATA_DIR: folder(), PORT: '8080' });
      expect(config).toMatchObject({
        embedded: true,
        DEMO: true,
        ISSUER: 'http://127.0.0.1:8080',
        AUDIENCE: 'http://127.0.0.1:8080',
        SHUTDOWN_DELAY: 0,
      });
    });

    it('makes its key once, for its owner only, and keeps it', () => {
      const DATA_DIR = join(folder(), 'deep', 'er');
      const { SECRET_KEY } = loadConfig({ DATA_DIR });
      expect(SECRET_KEY).toHaveLength(32);
      expect(loadConfig({ DATA_DIR }).SECRET_KEY).toEqual(SECRET_KEY);
      expect(statSync(join(DATA_DIR, 'secret.key')).mode & 0o777).toBe(0o600);
      expect(statSync(DATA_DIR).mode & 0o777).toBe(0o700);
      expect(loadConfig({ DATA_DIR: folder() }).SECRET_KEY).not.toEqual(SECRET_KEY);
    });

    it('prefers the SECRET_KEY of the environment, and then makes none', () => {
      const DATA_DIR = folder();
      expect(loadConfig({ DATA_DIR, SECRET_KEY: KEY }).SECRET_KEY.toString('hex')).toBe(KEY);
      expect(() => statSync(join(DATA_DIR, 'secret.key'))).toThrow('ENOENT');
    });

    it('refuses a database whose key is gone: a new one would kill every token', () => {
      const DATA_DIR = folder();
      mkdirSync(join(DATA_DIR, 'postgres'));
      writeFileSync(join(DATA_DIR, 'postgres', 'PG_VERSION'), '18\n');
      expect(problemsOf({ DATA_DIR })).toEqual([expect.stringMatching(/secret\.key.*restore/)]);
      expect(() => statSync(join(DATA_DIR, 'secret.key'))).toThrow('ENOENT');
    });

    it('refuses a key file that is damaged, without repeating it, and leaves it alone', () => {
      const DATA_DIR = folder();
      const file = join(DATA_DIR, 'secret.key');
      writeFileSync(file, 'not-long-enough');
      const problems = problemsOf({ DATA_DIR });
      expect(problems).toHaveLength(1);
      expect(problems[0]).not.toContain('not-long-enough');
      expect(readFileSync(file, 'utf8')).toBe('not-long-enough');
    });

    it('refuses a DATA_DIR that is a file', () => {
      const file = join(folder(), 'file');
      writeFileSync(file, '');
      expect(problemsOf({ DATA_DIR: file })).toEqual([expect.stringMatching(/^DATA_DIR /)]);
    });
  });

  it('is frozen', () => {
    const config = load();
    expect(Object.isFrozen(config)).toBe(true);
    expect(() => Object.assign(config, { PORT: 1 })).toThrow(TypeError);
  });

  it('takes an empty setting for an absent one', () => {
    const empty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
    expect(loadConfig({ ...empty, ...EXTERNAL })).toEqual(load());
  });

  it('says all problems at once, one line each, and repeats no value: it may be a secret', () => {
    const bad = Object.fromEntries(
      Object.keys(SETTINGS).map((name) => [name, `\u0007hunter2-${name.toLowerCase()}`]),
    );
    const problems = problemsOf(bad);
    const named = problems.map((line) => line.split(' ')[0]);
    expect(new Set(named)).toEqual(new Set(Object.keys(SETTINGS)));
    expect(new Set(named).size).toBe(named.length);
    for (const secret of ['hunter2', '\u0007']) expect(problems.join('\n')).not.toContain(secret);
    for (const line of problems) expect(line).toMatch(/\.$/);
  });

  it('does not demand what is there but unparsable a second time', () => {
    const problems = problemsOf({ ...EXTERNAL, ISSUER: 'nonsense', SECRET_KEY: 'nonsense' });
    expect(problems.map((line) => line.split(' ')[0])).toEqual(['ISSUER', 'SECRET_KEY']);
  });
});

type Name = keyof typeof SETTINGS;

/** What goes in, and what comes out. */
const GOOD: [Name, string, unknown][] = [
  ['PORT', '0', 0],
  ['WORKERS', '64', 64],
  ['WORKERS', 'auto', Math.min(availableParallelism(), 64)],
  ['PORT', '65535', 65_535],
  ['HOST', '::1', '::1'],
  ['HOST', 'localhost', 'localhost'],
  ['HOST', '127.9.9.9', '127.9.9.9'],
  ['DATABASE_URL', 'postgres://h/d?sslmode=disable', 'postgres://h/d?sslmode=disable'],
  ['DATABASE_URL', 'postgresql:///keks?host=%2Ftmp&port=5432&user=keks', expect.any(String)],
  [
    'DATABASE_URL',
    'postgresql://k:p%2C@a,b:5433/d?target_session_attrs=read-write&sslmode=disable',
    expect.any(String),
  ],
  ['ISSUER', 'https://auth.example.com/tenant', 'https://auth.example.com/tenant'],
  ['ISSUER', 'https://AUTH.example.com:443', 'https://AUTH.example.com:443'],
  ['ISSUER', 'http://localhost:3000', 'http://localhost:3000'],
  ['ISSUER', 'http://[::1]:3000', 'http://[::1]:3000'],
  ['REALM', 'A "B" \\ C', 'A "B" \\ C'],
  ['AUDIENCE', 'https://api.example.com', 'https://api.example.com'],
  ['SECRET_KEY', KEY.toUpperCase(), Buffer.from(KEY, 'hex')],
  ['SECRET_KEY', BASE64URL, Buffer.from(BASE64URL, 'base64url')],
  ['SECRET_KEY', KEY + LONGER, Buffer.from(KEY + LONGER, 'hex')],
  ['SECRET_KEY_PREVIOUS', KEY, [Buffer.from(KEY, 'hex')]],
  ...[',', ', ', ' ', '\n'].map((between): [Name, string, unknown] => [
    'SECRET_KEY_PREVIOUS',
    `${KEY}${between}${Buffer.alloc(33, 250).toString('base64url')}${between}`,
    [Buffer.from(KEY, 'hex'), Buffer.alloc(33, 250)],
  ]),
  ['ACCESS_TOKEN_TTL', '90', 90],
  ['ACCESS_TOKEN_TTL', '90s', 90],
  ['ACCESS_TOKEN_TTL', '15m', 900],
  ['ACCESS_TOKEN_TTL', '7d', 604_800],
  ['REFRESH_TOKEN_TTL', '12h', 43_200],
  ['REFRESH_GRACE_PERIOD', '0', 0],
  ['REFRESH_GRACE_PERIOD', '5m', 300],
  ['SESSION_TTL', '365d', 31_536_000],
  ['LOGIN_FAILURES_PER_ACCOUNT', '1', 1],
  ['LOGIN_FAILURES_PER_ADDRESS', '100000', 100_000],
  ['LOGINS_PER_ACCOUNT', '100000', 100_000],
  ['LOGIN_FAILURES_IN_A_ROW', '10', 10],
  ['LOGIN_FAILURE_WINDOW', '1d', 86_400],
  ['SIGNING_KEY_TTL', '1d', 86_400],
  ['SIGNING_KEY_PUBLISH', '60s', 60],
  ['KEEP_ALIVE', '1', 1],
  ['KEEP_ALIVE', '620s', 620],
  ['KEEP_ALIVE', '2h', 7_200],
  ['AUDIT_RETENTION', '1', 1],
  ['AUDIT_RETENTION_BY_TYPE', 'token.refreshed=2, token.issued=1', 'token.issued=1,token.refreshed=2'],
  ['BCRYPT_COST', '10', 10],
  ['DATABASE_TIMEOUT', '50', 50],
  ['DATABASE_TIMEOUT', '60000', 60_000],
  ['PASSWORD_MIN_LENGTH', '8', 8],
  ['ALLOW_HTTP', 'true', true],
  ['ALLOW_HTTP', '1', true],
  ['ALLOW_HTTP', 'false', false],
  ['ALLOW_HTTP', '0', false],
  ['DEMO', '0', false],
  ['LOG_LEVEL', 'silent', 'silent'],
  ['HOME_PAGE', 'console', 'console'],
  ['HOME_PAGE', 'none', 'none'],
  [
    'TRUST_PROXY',
    '10.0.0.0/8, ::1,::ffff:192.0.2.0/120',
    [
      { address: '10.0.0.0', prefix: 8, family: 'ipv4' },
      { address: '::1', prefix: 128, family: 'ipv6' },
      { address: '192.0.2.0', prefix: 24, family: 'ipv4' },
    ],
  ],
  [
    'TRUST_PROXY',
    'loopback',
    [
      { address: '127.0.0.0', prefix: 8, family: 'ipv4' },
      { address: '::1', prefix: 128, family: 'ipv6' },
    ],
  ],
  ['TRUST_PROXY', '1', 1],
  ['TRUST_PROXY', '16', 16],
  ['SHUTDOWN_DELAY', '0', 0],
  ['SHUTDOWN_DELAY', '5m', 300],
];

describe('a good value', () => {
  it.each(GOOD)('%s=%s', (name, text, value) =>
    expect(load({ [name]: text })[name as keyof Config]).toEqual(value),
  );
});

describe('several hosts in DATABASE_URL', () => {
  it.each([
    [
      'postgresql://k:p%2Cq@a,b:5433,[::1]:5434/d',
      'a',
      [
        { host: 'a', port: 5432 },
        { host: 'b', port: 5433 },
        { host: '::1', port: 5434 },
      ],
    ],
    [
      'postgresql:///d?host=%2Fone,%2Ftwo&port=5432,5433&user=k',
      '/one',
      [
        { host: '/one', port: 5432 },
        { host: '/two', port: 5433 },
      ],
    ],
    ['postgresql://k@a:5433/d', 'a', []],
  ])('%s', (url, first, places) => {
    const connection = connectionOf(url);
    expect(connection).toMatchObject({ host: first, user: 'k', database: 'd' });
    expect(connection.way?.places).toEqual(places);
  });
});

const BAD: [Name, string][] = [
  ...['-1', '65536', '3000.0', '3e3', '0x10', ' 3000', '3000 ', '１', 'http', 'true'].map(
    (text): [Name, string] => ['PORT', text],
  ),
  ...['127.0.0.1/x', 'a b', 'a\nb', 'http://x'].map((text): [Name, string] => ['HOST', text]),
  ...[' postgresql://h/d', 'postgresql://h/d ', '\npostgresql://h/d', 'postgresql:///d?host=/run '].map(
    (text): [Name, string] => ['DATABASE_URL', text],
  ),
  ...['keks', 'mysql://h/d', 'http://h/d', 'nonsense', 'postgresql://h/d?synchronize=true'].map(
    (text): [Name, string] => ['DATABASE_URL', text],
  ),
  ...[
    'h:5432,/d',
    'h,g:0/d',
    'h:x,g/d',
    ',h/d',
    'h,g/d?target_session_attrs=any&target_session_attrs=standby',
  ].map((text): [Name, string] => ['DATABASE_URL', `postgresql://keks@${text}`]),
  ...['read-only', 'standby', 'prefer-standby'].map((text): [Name, string] => [
    'DATABASE_URL',
    `postgresql://h/d?target_session_attrs=${text}`,
  ]),
  ...[
    'keks.test',
    'https://keks.test/',
    'https://keks.test/a/',
    'https://keks.test?x',
    'https://keks.test/#',
    'https://user:pass@keks.test',
    'https://keks.test\n',
    'ftp://keks.test',
    'http://keks.test',
    'http//keks.test',
    'HTTPS://keks.test',
    'Http://127.0.0.1:3000',
    'https://keks.test/a:b',
    'https://keks.test//a',
    'https://keks.test/a/../b',
    'https://keks.test/%61',
  ].map((text): [Name, string] => ['ISSUER', text]),
  ...['a\nb', 'a\0b', 'a\x7fb'].map((text): [Name, string] => ['REALM', text]),
  ...[
    KEY.slice(0, 62),
    `${KEY}0`,
    `${KEY} `,
    'secret',
    'a'.repeat(42),
    `${Buffer.alloc(33, 250).toString('base64url').slice(0, -1)}=`,
    `${'A'.repeat(60)}+/AA`,
    'x'.repeat(45),
  ].flatMap((text): [Name, string][] => [
    ['SECRET_KEY', text],
    // white space around one of a list is none of it
    ['SECRET_KEY_PREVIOUS', text === `${KEY} ` ? `${KEY}, short` : text],
  ]),
  ...[',', ' ', Array.from({ length: 17 }, (_, n) => n.toString(16).padStart(2, '0').repeat(32)).join()].map(
    (text): [Name, string] => ['SECRET_KEY_PREVIOUS', text],
  ),
  ...['0', '8d', '-1', '1w', '1h30m', '1.5h', '1 h', '1H', 'h', '10000000000', 'Infinity'].map(
    (text): [Name, string] => ['ACCESS_TOKEN_TTL', text],
  ),
  ...['0', '401d'].map((text): [Name, string] => ['REFRESH_TOKEN_TTL', text]),
  ...['23h', '401d'].map((text): [Name, string] => ['SIGNING_KEY_TTL', text]),
  ...['59', '13h'].map((text): [Name, string] => ['SIGNING_KEY_PUBLISH', text]),
  ...['0', '13m', '1201'].map((text): [Name, string] => ['AUDIT_RETENTION', text]),
  ...[
    'a type without months',
    'token.issued=0',
    'token.issued=13',
    'token.isued=1',
    'token.issued=1,token.issued=2',
    'login.refused=1',
    'token.issued=1,',
  ].map((text): [Name, string] => ['AUDIT_RETENTION_BY_TYPE', text]),
  ...['0', '3651d'].map((text): [Name, string] => ['SESSION_TTL', text]),
  ...['0', '1001', 'many'].map((text): [Name, string] => ['LOGIN_FAILURES_PER_ACCOUNT', text]),
  ...['0', '100001', '1e3'].map((text): [Name, string] => ['LOGIN_FAILURES_PER_ADDRESS', text]),
  ...['0', '100001'].map((text): [Name, string] => ['LOGINS_PER_ACCOUNT', text]),
  ...['9', '10001'].map((text): [Name, string] => ['LOGIN_FAILURES_IN_A_ROW', text]),
  ...['0', '25h'].map((text): [Name, string] => ['LOGIN_FAILURE_WINDOW', text]),
  ...['301s', '-1'].map((text): [Name, string] => ['REFRESH_GRACE_PERIOD', text]),
  ...['0', '7201', '3h', '650ms'].map((text): [Name, string] => ['KEEP_ALIVE', text]),
  ...['3', '17', '12.5', 'high', '9', '4'].map((text): [Name, string] => ['BCRYPT_COST', text]),
  ...['49', '60001', '2s', '0.4'].map((text): [Name, string] => ['DATABASE_TIMEOUT', text]),
  ...['7', '1025', ''.padEnd(3, 'x')].map((text): [Name, string] => ['PASSWORD_MIN_LENGTH', text]),
  ...['yes', 'no', 'TRUE', 'on', '2', ' true'].flatMap((text): [Name, string][] => [
    ['ALLOW_HTTP', text],
    ['DEMO', text],
  ]),
  ...['0', '65', 'all', '1.5', '-1'].map((text): [Name, string] => ['WORKERS', text]),
  ...['home', 'STORY', 'false'].map((text): [Name, string] => ['HOME_PAGE', text]),
  ...['verbose', 'INFO', '30'].map((text): [Name, string] => ['LOG_LEVEL', text]),
  ...['301', '-1', '6m'].map((text): [Name, string] => ['SHUTDOWN_DELAY', text]),
  ...[
    'nonsense',
    'true',
    '10.0.0.0/33',
    '10.0.0.1,',
    'proxy.example',
    '0.0.0.0/0',
    '::/0',
    '128.0.0.0/1',
    '0::/0',
    '::ffff:0.0.0.0/96',
    '10.0.0.1, 0.0.0.0/1',
  ].map((text): [Name, string] => ['TRUST_PROXY', text]),
];

describe('a bad value', () => {
  it.each(BAD)('%s=%j is refused by name, and not repeated', (name, text) => {
    const problems = problemsOf({ ...EXTERNAL, [name]: text });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.split(' ')[0]).toBe(name);
    if (text.trim().length > 4) expect(problems[0]).not.toContain(text.trim());
  });
});

describe('a SECRET_KEY that can be guessed', () => {
  const GUESSABLE = [
    '0'.repeat(64),
    'A'.repeat(43),
    'f'.repeat(64),
    'deadbeef'.repeat(8),
    '0123456789abcdef'.repeat(4),
    Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('hex'),
    Buffer.from(Array.from({ length: 40 }, (_, at) => 255 - 3 * at)).toString('base64url'),
    'changeme'.repeat(6),
    'change-me-please-this-is-not-a-secret-key-at-all',
    'CHANGE_ME_CHANGE_ME_change_me_0123456789abcdefghijk',
    Buffer.from('please change me before going to production').toString('hex'),
    'your-secret-here-0123456789-abcdefghijklmnopqrst',
  ];

  it.each(GUESSABLE)('%s', (key) => {
    const mend = /^SECRET_KEY can be guessed: .*openssl rand -hex 32.*SECRET_KEY_PREVIOUS/;
    expect(problemsOf({ ...EXTERNAL, SECRET_KEY: key })).toEqual([expect.stringMatching(mend)]);
  });

  it('is accepted as a former one, so that one can leave it', () => {
    for (const key of GUESSABLE) expect(problemsOf({ ...EXTERNAL, SECRET_KEY_PREVIOUS: key })).toEqual([]);
  });

  it('is none in secret.key either', () => {
    const DATA_DIR = folder();
    writeFileSync(join(DATA_DIR, 'secret.key'), '0'.repeat(64), { mode: 0o600 });
    expect(problemsOf({ DATA_DIR })).toEqual([expect.stringMatching(/^DATA_DIR .*secret\.key.*guessed/)]);
  });

  it('is none that was made', () => {
    for (let made = 0; made < 2_000; made += 1) {
      const key = randomBytes(32);
      for (const SECRET_KEY of [key.toString('hex'), key.toString('base64url')])
        expect(problemsOf({ ...EXTERNAL, SECRET_KEY })).toEqual([]);
    }
  });
});

describe('a database without secret.key', () => {
  const withDatabase = (): string => {
    const made = folder();
    mkdirSync(join(made, 'postgres'));
    writeFileSync(join(made, 'postgres', 'PG_VERSION'), '18');
    return made;
  };

  it('names SECRET_KEY first, because that may be in .env, and what is lost with the folder', () => {
    const problem = problemsOf({ DATA_DIR: withDatabase() }).join();
    expect(problem).toMatch(/set the SECRET_KEY .*\.env.*secret\.key from your backup.*lose all/);
  });

  it('is all right with SECRET_KEY, for the start and for the doctor', () => {
    const DATA_DIR = withDatabase();
    expect(problemsOf({ DATA_DIR, SECRET_KEY: KEY })).toEqual([]);
    expect(checkDataDir(DATA_DIR, true).map(({ status }) => status)).toEqual(['ok']);
    expect(checkDataDir(DATA_DIR).map(({ status }) => status)).toEqual(['ok', 'fail']);
  });
});

describe('how long a stop may take', () => {
  it('a long SHUTDOWN_DELAY takes nothing from the requests at its end', () => {
    expect([0, 5, 10, 30, 300].map((seconds) => stopLimit(seconds * 1_000))).toEqual([
      25_000, 25_000, 30_000, 50_000, 320_000,
    ]);
  });
});

describe('a DATA_DIR that somebody else could have filled', () => {
  const planted = (): string => {
    const made = folder();
    writeFileSync(join(made, 'secret.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
    return made;
  };
  const AS_ROOT = process.geteuid?.() === 0;

  it.each(['', 'secret.key'])('everybody may write to DATA_DIR/%s: refused, with the mend', (name) => {
    const DATA_DIR = planted();
    const path = join(DATA_DIR, name);
    chmodSync(path, name === '' ? 0o777 : 0o666);
    for (const extra of [{}, { SECRET_KEY: KEY }, { DEMO: 'false' }])
      expect(problemsOf({ DATA_DIR, ...extra })).toEqual([
        expect.stringMatching(new RegExp(`^DATA_DIR is not to be trusted: .*${path}.*chmod`)),
      ]);
    expect(problemsOf({ DATA_DIR, PORT: 'x' })).toHaveLength(2);
    expect(checkDataDir(DATA_DIR)).toEqual([
      expect.objectContaining({
        status: 'fail',
        message: expect.stringContaining('DATA_DIR is not to be trusted'),
      }),
    ]);
    chmodSync(path, name === '' ? 0o700 : 0o600);
    expect(problemsOf({ DATA_DIR })).toEqual([]);
  });

  it.runIf(AS_ROOT).each(['', 'secret.key'])(
    'DATA_DIR/%s is another user’s: refused, with the mend',
    (name) => {
      const DATA_DIR = planted();
      const path = join(DATA_DIR, name);
      chownSync(path, 12_345, 12_345);
      expect(problemsOf({ DATA_DIR })).toEqual([
        expect.stringMatching(
          new RegExp(`^DATA_DIR is not to be trusted: .*${path} belongs to user 12345.*chown`),
        ),
      ]);
      chownSync(path, 0, 0);
      expect(problemsOf({ DATA_DIR })).toEqual([]);
    },
  );

  it('a group, and readers, are left to those who gave them', () => {
    const DATA_DIR = planted();
    chmodSync(DATA_DIR, 0o2775);
    expect(problemsOf({ DATA_DIR })).toEqual([]);
  });
});

describe('OPS_PORT beside TLS', () => {
  const TLS = { ...EXTERNAL, OPS_PORT: '9000', TLS_CERT: 'a', TLS_KEY: 'b' };

  it('has Swagger UI by plain HTTP on this machine only, or for who insists', () => {
    expect(problemsOf({ ...TLS, HOST: '0.0.0.0' })).toEqual([
      expect.stringMatching(/^OPS_PORT .*ALLOW_HTTP/),
    ]);
    for (const extra of [
      { HOST: '127.0.0.1' },
      { HOST: '0.0.0.0', ALLOW_HTTP: 'true' },
      { HOST: '0.0.0.0', OPS_PORT: '' },
    ])
      expect(problemsOf({ ...TLS, ...extra })).toEqual([]);
  });
});

describe('plain HTTP beyond this machine', () => {
  it.each(['0.0.0.0', '::', '192.168.1.2', 'keks.example.com', '128.0.0.1', '127.0.0.1.example.com'])(
    'HOST=%s is refused unless something encrypts',
    (HOST) => {
      expect(problemsOf({ ...EXTERNAL, HOST })).toEqual([
        expect.stringMatching(/TLS_CERT.*TRUST_PROXY.*ALLOW_HTTP/),
      ]);
      expect(problemsOf({ ...EXTERNAL, HOST, TRUST_PROXY: '10.0.0.1' })).toEqual([]);
      expect(problemsOf({ ...EXTERNAL, HOST, ALLOW_HTTP: 'true' })).toEqual([]);
      expect(problemsOf({ ...EXTERNAL, HOST, TLS_CERT: 'a', TLS_KEY: 'b' })).toEqual([]);
    },
  );

  it('an issuer of http is for loopback, or for who insists', () => {
    for (const ISSUER of ['http://auth.example.com', 'http://10.0.0.1', 'http://localhost.example.com'])
      expect(problemsOf({ ...EXTERNAL, ISSUER })).toEqual([expect.stringMatching(/^ISSUER .*https/)]);
    expect(problemsOf({ ...EXTERNAL, ISSUER: 'http://auth.example.com', ALLOW_HTTP: '1' })).toEqual([]);
  });
});

describe('settings that go together', () => {
  it('TLS_CERT and TLS_KEY', () => {
    expect(problemsOf({ ...EXTERNAL, TLS_CERT: 'a' })).toEqual([
      expect.stringMatching(/TLS_CERT and TLS_KEY/),
    ]);
    expect(problemsOf({ ...EXTERNAL, TLS_KEY: 'a' })).toEqual([
      expect.stringMatching(/TLS_CERT and TLS_KEY/),
    ]);
  });

  it('an embedded authority with a certificate has an issuer of https', () => {
    expect(loadConfig({ DATA_DIR: folder(), TLS_CERT: 'a', TLS_KEY: 'b' }).ISSUER).toBe(
      'https://127.0.0.1:3000',
    );
  });

  it('BCRYPT_COST below 10 is for tests', () => {
    expect(problemsOf({ ...EXTERNAL, BCRYPT_COST: '4', NODE_ENV: 'production' })).toHaveLength(1);
    expect(problemsOf({ ...EXTERNAL, BCRYPT_COST: '4', NODE_ENV: 'test' })).toEqual([]);
  });

  it('synchronize is refused under every name that it may come by', () => {
    for (const name of ['TYPEORM_SYNCHRONIZE', 'DB_SYNCHRONIZE', 'DATABASE_SYNCHRONIZE']) {
      expect(problemsOf({ ...EXTERNAL, [name]: 'true' })).toEqual([expect.stringMatching(/migrations only/)]);
      expect(problemsOf({ ...EXTERNAL, [name]: 'false' })).toEqual([]);
    }
  });
});

describe('every setting', () => {
  it.each(Object.entries(SETTINGS))(
    '%s has a sentence for the reference and a default that parses',
    (_, setting) => {
      expect(setting.summary.length).toBeGreaterThan(5);
      if (setting.fallback !== undefined) expect(setting.parse(setting.fallback)).toBeDefined();
    },
  );
});
