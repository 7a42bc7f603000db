import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSettings, ConfigError, loadConfig } from '../../src/config/config.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { keks, only, type Run } from '../support/keks.js';
import { keksHere } from '../support/keks-here.js';
import { launch } from '../support/process.js';
import { PATIENTLY } from '../support/test-app.js';

/** Settings that would run and be unsafe, or end in an error of the program; a line of each says what to do. */
const UNSAFE = {
  ISSUER: 'https://auth.example.com',
  HOST: '0.0.0.0',
  TLS_CERT: 'cert.pem',
  TLS_KEY: 'key.pem',
  OPS_PORT: '9000',
  SECRET_KEY: 'changeme'.repeat(6),
};

interface Report {
  readonly checks: readonly { readonly check: string; readonly status: string; readonly message: string }[];
}

interface Told {
  readonly code: Run['code'];
  readonly lines: readonly string[];
  /** All that was said. */
  readonly output: string;
}

/** A start that is refused, as a process. */
async function startedAsProcess(environment: Record<string, string>): Promise<Told> {
  const server = launch(environment);
  const code = (await server.ended) ?? '';
  return { code, lines: server.output().trim().split('\n'), output: server.output() };
}

/** The same as far as `main.ts` goes with settings that it refuses: it prints this message and exits. */
function startedHere(environment: Record<string, string>): Promise<Told> {
  try {
    loadConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Promise.resolve({ code: 1, lines: error.message.split('\n'), output: error.message });
  }
  throw new Error('was not refused');
}

const doctorAsProcess = (environment: Record<string, string>) => keks(environment, ['doctor', '--json']);
const doctorHere = (environment: Record<string, string>) => keksHere(environment, ['doctor', '--json']);
/** A table has its first row tried on processes; the others differ in what is set, and not in how it is told. */
const waysOf = (row: number) =>
  row === 0
    ? { start: startedAsProcess, doctor: doctorAsProcess }
    : { start: startedHere, doctor: doctorHere };

describe('settings that nobody should run with', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ empty: true });
  });
  afterAll(() => database.close());

  const FLAWS = [
    'nonsense',
    'true',
    '0',
    '17',
    '1, 10.0.0.1',
    'traefik',
    '10.0.0.1,',
    '0.0.0.0/0',
    '10.0.0.1, ::/0',
  ].map((flaw, row) => [flaw, row] as const);

  it.each(FLAWS)(
    'are told all at once, by the server and by keks doctor alike: TRUST_PROXY=%s',
    async (TRUST_PROXY, row) => {
      // one that is there: doctor gives one that is away three seconds
      const environment = { ...UNSAFE, DATABASE_URL: database.url, TRUST_PROXY };
      const ways = waysOf(row);
      const [{ code, lines }, doctor] = await Promise.all([
        ways.start(environment),
        ways.doctor(environment),
      ]);
      const told = (only(doctor.stdout) as Report).checks
        .filter(({ check, status }) => check === 'configuration' && status === 'fail')
        .map(({ message }) => message);
      expect([code, doctor.code]).toEqual([1, 1]);
      expect(lines).toEqual([
        expect.stringMatching(/^SECRET_KEY can be guessed: .*openssl rand -hex 32/),
        expect.stringMatching(/^TRUST_PROXY must be .*your proxies/),
        expect.stringMatching(/^OPS_PORT would serve Swagger UI.*ALLOW_HTTP=true/),
      ]);
      expect(told).toEqual(lines);
    },
  );
});

const URL_WITH = (more: string): string => `postgresql://keks:hunter2@127.0.0.1:1/keks${more}`;
const FOLDER = mkdtempSync(join(tmpdir(), 'keks-judged-'));
const GARBAGE = join(FOLDER, 'garbage.pem');
writeFileSync(GARBAGE, 'no certificate');

/** What is set, and what is said of it. */
const UNUSABLE: [string, string, RegExp][] = [
  ['REALM', 'Bäckerei', /^REALM must be printable ASCII.*$/],
  ['REALM', 'a\tb', /^REALM must be printable ASCII.*$/],
  ['DATABASE_URL', URL_WITH('?sslrootcert=system'), /^DATABASE_URL .*sslrootcert.*leave sslrootcert out/],
  [
    'DATABASE_URL',
    URL_WITH('?sslmode=verify-full&sslrootcert=/nowhere/root.pem'),
    /^DATABASE_URL .*sslrootcert.*ENOENT/,
  ],
  ['DATABASE_URL', URL_WITH('?sslcert=/nowhere/own.pem'), /^DATABASE_URL .*sslcert.*ENOENT/],
  ['DATABASE_URL', URL_WITH(`?sslrootcert=${GARBAGE}`), /^DATABASE_URL .*sslrootcert.*PEM/],
  ['DATABASE_URL', URL_WITH(`?sslkey=${GARBAGE}`), /^DATABASE_URL .*sslkey.*PEM/],
  ['DATABASE_URL', URL_WITH('?uselibpqcompat=true&sslmode=verify-ca'), /^DATABASE_URL .*sslrootcert/],
  ['DATABASE_URL', URL_WITH('?sslmode=verify_full'), /^DATABASE_URL .*sslmode.*verify-full/],
  ['DATABASE_URL', URL_WITH('?ssl=verify-full'), /^DATABASE_URL .*ssl=true/],
  ['DATABASE_URL', URL_WITH('?port=abc'), /^DATABASE_URL .*port.*65535/],
  ['DATABASE_URL', URL_WITH('?port=5432abc'), /^DATABASE_URL .*port.*65535/],
  ['DATABASE_URL', 'postgresql://keks:hunter2@127.0.0.1:0/keks', /^DATABASE_URL .*port.*65535/],
  ['DATABASE_URL', 'postgresql://keks:hunter2@127.0.0.1:abc/keks', /^DATABASE_URL .*postgresql:\/\//],
  ['DATABASE_URL', 'postgresql://keks:hunter2%ff@127.0.0.1:1/keks', /^DATABASE_URL .*%25/],
  ['DATABASE_URL', 'postgresql://keks:hunter2%zz%c3%a4@127.0.0.1:1/keks', /^DATABASE_URL .*%25/],
  ['DATABASE_URL', 'postgresql:///keks?host=%2Ftmp&password=hunter2%e4', /^DATABASE_URL .*%25/],
];

describe('a setting that only its user would stumble over, later', () => {
  const usable = {
    DATABASE_URL: URL_WITH(''),
    ISSUER: 'https://auth.example.com',
    SECRET_KEY: 'b9a1f07de4c35a68b9c2d1e0f3a4958677f6e5d4c3b2a19081726354a5b6c7d8',
    PORT: 'nonsense',
  };

  afterAll(() => rmSync(FOLDER, { recursive: true }));

  it.each(UNUSABLE)('%s=%s is one line among all problems', (name, text, told) => {
    const { problems } = checkSettings({ ...usable, [name]: text });
    expect(problems).toHaveLength(2);
    expect(problems).toContainEqual(expect.stringMatching(told));
    expect(problems.join('\n')).not.toMatch(/hunter2|nowhere/);
  });

  it.each([
    ['?sslrootcert=system', 'Bäckerei', 0],
    ['?sslrootcert=/nowhere/root.pem', undefined, 1],
    ['?port=abc&password=%ff', undefined, 2],
    ['?port=abc', undefined, 3],
  ])('DATABASE_URL with %s is told by the server and by keks doctor alike', async (more, REALM, row) => {
    const environment = { ...usable, DATABASE_URL: URL_WITH(more), ...(REALM && { REALM }) };
    const ways = waysOf(row);
    const [{ code, lines, output }, doctor] = await Promise.all([
      ways.start(environment),
      ways.doctor(environment),
    ]);
    const { checks } = only(doctor.stdout) as Report;
    const told = checks.filter(({ status }) => status === 'fail');
    expect([code, doctor.code]).toEqual([1, 1]);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(
      REALM ? ['PORT', 'REALM', 'DATABASE_URL'] : expect.arrayContaining(['PORT', 'DATABASE_URL']),
    );
    expect(told.map(({ check, message }) => [check, message])).toEqual(
      lines.map((line) => ['configuration', line]),
    );
    // one that cannot be used is not tried as well, nor taken for none
    expect(checks.map(({ check }) => check)).not.toContain('data directory');
    for (const said of [output, doctor.stdout, doctor.stderr]) expect(said).not.toMatch(/hunter2|^ +at /m);
  });

  it.each([
    ['postgresql://keks:50%off@127.0.0.1:1/keks', 'a percent sign that begins no escape'],
    ['postgresql://keks:h%C3%A4nsel@127.0.0.1:1/keks?port=5432&sslmode=require', 'what is escaped'],
    ['postgresql:///keks?host=%2Ftmp&port=5432&user=keks&ssl=0', 'a socket'],
  ])('%s is taken: %s', (DATABASE_URL) => {
    expect(checkSettings({ ...usable, PORT: '1', DATABASE_URL }).problems).toEqual([]);
  });

  it('with a DATABASE_URL that cannot be read, what goes with one is asked for at once', () => {
    const problems = checkSettings({ DATABASE_URL: 'nonsense' }).problems.map((line) => line.split(' ')[0]);
    expect(problems).toEqual(['DATABASE_URL', 'ISSUER', 'SECRET_KEY']);
  });
});

describe('TRUST_PROXY', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ empty: true });
  });
  afterAll(() => database.close());

  it.each([
    ['2', 'X-Forwarded-For: the last 2 addresses are believed, whoever sends them'],
    ['loopback, 10.1.0.0/16', 'X-Forwarded-For is believed from 127.0.0.0/8, ::1/128, 10.1.0.0/16'],
  ])('=%s is told as it was understood, by the start and by keks doctor', async (TRUST_PROXY, understood) => {
    const environment = {
      DATABASE_URL: URL_WITH(''),
      ISSUER: 'https://auth.example.com',
      SECRET_KEY: 'b9a1f07de4c35a68b9c2d1e0f3a4958677f6e5d4c3b2a19081726354a5b6c7d8',
      TRUST_PROXY,
    };
    const server = launch({ ...environment, PORT: '0' });
    const doctor = await doctorHere({ ...environment, DATABASE_URL: database.url });
    await expect.poll(() => server.output(), PATIENTLY).toContain('the database is away');
    await server.stop('SIGKILL');
    const told = server
      .output()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(told.filter((line) => line.startsWith('X-Forwarded-For'))).toEqual([understood]);
    expect((only(doctor.stdout) as Report).checks).toContainEqual({
      check: 'proxies',
      status: 'ok',
      message: understood,
    });
  });
});
