import type { Command } from 'commander';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_USER } from '../../src/auth/users/demo-identity.js';
import { checkSettings } from '../../src/config/config.js';
import { commandLine as parser } from '../../src/cli/program.js';
import { keksHere } from '../support/keks-here.js';
import { keks, only, type Run } from '../support/keks.js';
import { addClient } from '../support/oauth.js';
import { loose, program } from '../support/program.js';
import { environment, PASSWORD, startTestApp, type TestApp } from '../support/test-app.js';

const ESCAPE = '\u001b[';

const folder = mkdtempSync(join(tmpdir(), 'keks-help-'));
let app: TestApp;
let settings: Record<string, string>;

const here = (args: string, input?: string, more: Record<string, string> = {}): Promise<Run> =>
  keksHere({ ...settings, ...more }, words(args), input === undefined ? {} : { input });

beforeAll(async () => {
  app = await startTestApp();
  settings = environment(app.database.url);
});

afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

/** As a shell would: "a b" is one word. */
function words(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
}

/** The program, and which verbs it was asked for, none of which is done. */
function dryRun(): { program: Command; said: { out: string; err: string }; asked: () => number } {
  const said = { out: '', err: '' };
  let asked = 0;
  const program = parser(() => async () => void (asked += 1), said);
  return { program, said, asked: () => asked };
}

function verbs(command: Command, path: string[] = []): string[][] {
  if (command.commands.length === 0) return [path];
  return command.commands.flatMap((one) => verbs(one, [...path, one.name()]));
}

describe('--help', () => {
  it.each(verbs(dryRun().program).map((path) => [path.join(' ')]))(
    'of %s has examples, which the parser understands',
    async (verb) => {
      const { code, stdout } = await here(`${verb} --help`);
      expect(code).toBe(0);
      const examples = (stdout.split('\nExamples:\n')[1] ?? '').trimEnd().split('\n');
      for (const line of examples) {
        const [, example = ''] = /(keks [^|<>)']+)/.exec(line) ?? [];
        const { program, asked } = dryRun();
        expect(example, line).toContain(`keks ${verb}`);
        await program.parseAsync(words(example).slice(1), { from: 'user' });
        expect(asked(), line).toBe(1);
      }
    },
  );

  it('loads neither Nest nor a database, and nor do completion and init', async () => {
    const hook = `import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(\`
        import { writeSync } from 'node:fs';
        export async function load(url, context, next) {
          const match = /node_modules\\\\/([^/]+)/.exec(url);
          if (match) writeSync(2, match[1] + '\\\\n');
          return next(url, context);
        }\`));`;
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
    for (const args of ['--help', 'completion bash', `init --file ${join(folder, 'light.env')}`]) {
      const { code, stdout, stderr } = await keks({}, words(args), { nodeArgs, from: loose('cli') });
      if (args === '--help')
        for (const noun of dryRun().program.commands) expect(stdout).toContain(`\n  ${noun.name()}`);
      expect([code, new Set(stderr.trim().split('\n'))], args).toEqual([0, new Set(['commander'])]);
    }
  });
});

describe('colours', () => {
  it.each([
    ['none where there is no terminal', {}, false],
    ['FORCE_COLOR', { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, false],
  ])('%s', async (_, more, coloured) => {
    for (const args of ['--help', 'user list', 'doctor']) {
      const { code, stdout } = await here(args, undefined, more);
      expect([code, stdout.includes(ESCAPE)], args).toEqual([0, coloured]);
    }
    const wrong = await here('usr', undefined, more);
    expect(wrong.stderr.includes(ESCAPE)).toBe(coloured);
    const json = await here('user list --json', undefined, more);
    expect(json.stdout).not.toContain(ESCAPE);
  });

  it('columns stand under their headings all the same', async () => {
    await app.addUser('Ann');
    const plain = await here('user list');
    const { stdout } = await here('user list', undefined, { FORCE_COLOR: '1' });
    // eslint-disable-next-line no-control-regex -- the colours are the point
    const bare = stdout.replaceAll(/\u001b\[\d+m/g, '');
    expect(bare).toBe(plain.stdout);
  });

  it.skipIf(!existsSync('/usr/bin/script'))('on a terminal, unless NO_COLOR; and progress there', () => {
    const run = (args: string, more: Record<string, string>): string =>
      spawnSync('/usr/bin/script', ['-qec', `"${process.execPath}" ${program('cli')} ${args}`, '/dev/null'], {
        env: { PATH: process.env.PATH ?? '', TERM: 'xterm', ...settings, ...more },
        encoding: 'utf8',
        timeout: 45_000,
      }).stdout;
    expect(run('--help', {})).toContain(ESCAPE);
    expect(run('--help', { NO_COLOR: '1' })).not.toContain(ESCAPE);
    expect(run('purge', {})).toMatch(/\r.*partitions: 1 of \d+\r/);
  });
});

describe('keks completion', () => {
  /** What real bash offers for a line that ends where the cursor is. */
  function offered(line: readonly string[]): string[] {
    const { stdout } = spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keks; echo "${COMPREPLY[@]}"',
        'bash',
        join(folder, 'keks.bash'),
        ...line,
      ],
      { encoding: 'utf8' },
    );
    return words(stdout);
  }

  beforeAll(async () => {
    for (const shell of ['bash', 'zsh', 'fish'])
      writeFileSync(join(folder, `keks.${shell}`), (await here(`completion ${shell}`)).stdout);
  });

  it('bash offers every noun, verb and option where it belongs', () => {
    const { program } = dryRun();
    const nouns = program.commands.map((one) => one.name());
    expect(offered(['keks', '']).filter((word) => !word.startsWith('-'))).toEqual(nouns);
    for (const noun of program.commands.filter((one) => one.commands.length > 0))
      expect(offered(['keks', noun.name(), '']).filter((word) => !word.startsWith('-'))).toEqual(
        noun.commands.map((one) => one.name()),
      );
    expect(offered(['keks', 'user', 'add', 'Ann', '--s'])).toEqual(['--scope']);
  });

  it.each([
    [['us'], ['user']],
    [['--json', 'user', 'l'], ['list']],
    [
      ['client', 'add', 'x', '--token-format', ''],
      ['opaque', 'jwt'],
    ],
    [['completion', 'z'], ['zsh']],
    [['token', 'issue', '--user', ''], []],
    [['token', 'issue', '--user', 'revoke', '--form'], ['--format']],
  ])('bash: %j', (line, wanted) => {
    expect(offered(['keks', ...line])).toEqual(wanted);
  });

  it.each(['bash', 'zsh', 'fish'])('%s takes the script as it is', (shell) => {
    const { status, stderr, error } = spawnSync(shell, ['-n', join(folder, `keks.${shell}`)], {
      encoding: 'utf8',
    });
    if (error && 'code' in error && error.code === 'ENOENT' && shell !== 'bash') return;
    expect([status, stderr]).toEqual([0, '']);
  });

  it('another shell is wrong usage', async () => {
    const { code, stderr } = await here('completion tcsh');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/Allowed choices are bash, zsh, fish/)]);
  });
});

describe('keks init', () => {
  let files = 0;
  const fresh = (): string => join(folder, `${(files += 1)}.env`);
  const bare = { DATA_DIR: join(folder, 'none') };
  const init = (args: string, input?: string, more: Record<string, string> = bare): Promise<Run> =>
    keksHere(more, ['init', ...words(args), '--json'], input === undefined ? {} : { input });
  /** As Node reads it. */
  const read = (file: string): Record<string, string> => {
    const args = [`--env-file=${file}`, '-p', 'JSON.stringify(process.env)'];
    return JSON.parse(spawnSync(process.execPath, args, { env: {}, encoding: 'utf8' }).stdout);
  };

  it('writes a secret that nobody else can read and prints nothing of it', async () => {
    const [one, other] = [fresh(), fresh()];
    const { code, stdout } = await init(`--file ${one}`);
    expect([code, only(stdout)]).toEqual([0, { file: one, settings: ['SECRET_KEY'] }]);
    expect(statSync(one).mode & 0o777).toBe(0o600);
    await init(`--file ${other}`);
    const [{ SECRET_KEY: key = '' }, second] = [read(one), read(other)];
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(second['SECRET_KEY']).not.toBe(key);
    expect(stdout).not.toContain(key);
    expect(checkSettings(read(one)).problems).toEqual([]);
  });

  it('never writes over a file', async () => {
    const file = fresh();
    writeFileSync(file, 'SECRET_KEY=mine\n');
    const { code, stderr } = await init(`--file ${file}`);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/nothing was changed/)]);
    expect(readFileSync(file, 'utf8')).toBe('SECRET_KEY=mine\n');
  });

  it('takes the database with its password from standard input, and Node reads it as it was', async () => {
    const file = fresh();
    const url = 'postgresql://keks:p%20$HOME&w@db.example:5432/keks?sslmode=require';
    const { code } = await init(
      `--file ${file} --issuer https://auth.example.com --port 8080 --database-url-stdin`,
      `${url}\n`,
    );
    expect(code).toBe(0);
    expect(read(file)).toMatchObject({ DATABASE_URL: url, ISSUER: 'https://auth.example.com', PORT: '8080' });
    expect(checkSettings(read(file)).problems).toEqual([]);
  });

  it.each([
    ['--database-url postgresql://keks:hunter2@db/keks', 2, /A secret is never an argument/],
    ['--database-url postgresql://db/keks?sslmode=disable', 1, /ISSUER is required/],
    [
      '--database-url postgresql://keks@db.example/keks --issuer https://auth.example.com',
      1,
      /sslmode=verify-full, or sslmode=disable/,
    ],
    [
      '--database-url postgresql://keks@localhost,db.example/keks --issuer https://auth.example.com',
      1,
      /sslmode=verify-full, or sslmode=disable/,
    ],
    ['--issuer auth.example.com --port x', 1, /PORT must.*ISSUER must/],
    ['--domain https://auth.example.com', 1, /host name/],
    ['--domain a.example --port 1', 1, /stands alone/],
    ['--file /nowhere/at/all', 1, /ENOENT/],
  ])('refuses %s', async (args, exit, message) => {
    const file = args.includes('--file') ? '' : ` --file ${fresh()}`;
    const { code, stdout, stderr } = await init(args + file);
    expect([code, stdout]).toEqual([exit, '']);
    expect((only(stderr) as { error_description: string }).error_description).toMatch(message);
    expect(stderr).not.toContain('hunter2');
    expect(existsSync(join(folder, `${files}.env`)) && file !== '').toBe(false);
  });

  it('refuses the same from standard input, and takes a database on this machine without a word about TLS', async () => {
    const file = fresh();
    const args = `--file ${file} --issuer https://auth.example.com --database-url-stdin`;
    const away = await init(args, 'postgresql://keks:hunter2@db.example/keks\n');
    expect([away.code, existsSync(file)]).toEqual([1, false]);
    expect(away.stderr).toMatch(/DATABASE_URL must say how the way to the database is protected/);
    expect(away.stderr).not.toContain('hunter2');
    expect((await init(args, 'postgresql://keks:hunter2@127.0.0.1/keks\n')).code).toBe(0);
    expect(checkSettings(read(file)).problems).toEqual([]);
  });

  it('leaves an embedded Keks that has run already its secret', async () => {
    const dataDir = mkdtempSync(join(folder, 'data-'));
    writeFileSync(join(dataDir, 'secret.key'), 'x');
    const file = fresh();
    const { stdout } = await init(`--file ${file}`, undefined, { DATA_DIR: dataDir });
    expect(only(stdout)).toEqual({ file, settings: [] });
    const compose = await init(`--file ${fresh()} --domain a.example`, undefined, { DATA_DIR: dataDir });
    expect([compose.code, compose.stderr]).toEqual([1, expect.stringMatching(/secret\.key/)]);
  });

  it('for docker compose: every variable that docker-compose.yml wants', async () => {
    const file = fresh();
    await init(`--file ${file} --domain auth.example.com`);
    const wanted = [...readFileSync('docker-compose.yml', 'utf8').matchAll(/\$\{(\w+):\?/g)].map(
      ([, name]) => name,
    );
    expect(new Set(Object.keys(read(file)))).toEqual(new Set(wanted));
  });

  it('npm start and npm run keks read it; the environment counts more', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<'start' | 'keks', string>;
    };
    const [start, verb] = [scripts.start, scripts.keks].map((one) => one.replace(/^.*?&& /, ''));
    // the server alone has a limit for its young generation: a verb ends before it would fill it
    expect(start?.replace(' --max-semi-space-size=8', '').replace('main.js', 'cli.js')).toBe(verb);
    loose('cli');
    const home = mkdtempSync(join(folder, 'home-'));
    symlinkSync(resolve('dist'), join(home, 'dist'));
    const url = (more: Record<string, string>): string =>
      spawnSync('sh', ['-c', `${verb} database-url`], {
        cwd: home,
        env: { PATH: process.env.PATH ?? '', ...more },
        encoding: 'utf8',
      }).stdout.trim();
    expect(url({ DATABASE_URL: 'postgresql://env/keks' })).toBe('postgresql://env/keks');
    writeFileSync(join(home, '.env'), 'DATABASE_URL=postgresql://file/keks\n');
    expect(url({})).toBe('postgresql://file/keks');
    expect(url({ DATABASE_URL: 'postgresql://env/keks' })).toBe('postgresql://env/keks');
  });
});

describe('keks demo', () => {
  const demo = (args: string, input?: string): Promise<Run> => here(`demo --url ${app.url} ${args}`, input);
  const STATUSES = [401, 200, 200, 200, 200, 401];

  it('without a demo user: says who else it could be', async () => {
    const { code, stderr } = await demo('');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/no demo user.*--user and --password-stdin/)]);
  });

  it.each(['', '--jwt'])('plays the story %s, and shows no token and no password', async (format) => {
    if (format === '') await app.addUser(DEMO_USER.user, DEMO_USER.scope, DEMO_USER.password);
    const { code, stdout } = await demo(format);
    expect(code).toBe(0);
    expect([...stdout.matchAll(/ {2}< (\d{3}) /g)].map(([, status]) => Number(status))).toEqual(STATUSES);
    expect(stdout).toContain('  < ["Cookie","Cookie","Cookie"]\n');
    expect(stdout).toContain('WWW-Authenticate: Bearer realm="CookieFactory", error="invalid_token"');
    expect(stdout).not.toContain(DEMO_USER.password);
    expect(stdout).not.toMatch(/kat_[\w-]{20}|[\w-]{20}\.[\w-]{20}/);
    expect(stdout.includes('"alg":"ES256"')).toBe(format === '--jwt');
    const { rows } = await app.database.client.query(
      `SELECT FROM audit_events a JOIN audit_events b ON a.token_id = b.token_id
        WHERE a.type = 'token.issued' AND b.type = 'token.revoked' AND a.detail ->> 'format' = $1`,
      [format === '' ? 'opaque' : 'jwt'],
    );
    expect(rows).toHaveLength(1);
  });

  it('plays it with a guard that checks alone by a lease: a JWT, no question, revoked, dead', async () => {
    const api = await addClient(app, { name: 'bakery', scope: [], audience: [app.config.AUDIENCE] });
    const { code, stdout, stderr } = await demo(`--lease ${api.clientId} --json`, api.clientSecret);
    expect(stderr).toBe('');
    const { steps } = only(stdout) as { steps: { status: number; body: string }[] };
    expect([code, steps.map(({ status }) => status)]).toEqual([0, [200, 200, 200, 200, 401]]);
    expect(steps.at(-1)?.body).toMatch(/^revoked, \d+ ms of the lease left, 0 questions$/);
    expect(stdout).not.toContain(api.clientSecret);
    const absent = await demo('--lease');
    expect([absent.code, absent.stderr]).toEqual([1, expect.stringContaining('has no API with a lease')]);
    const refused = await demo(`--lease ${(await addClient(app)).clientId}`, 'kcs_wrong');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('came to no verdict')]);
  });

  it('as JSON, with somebody else', async () => {
    await app.addUser('Bea');
    const { code, stdout } = await demo('--user Bea --password-stdin --json', PASSWORD);
    const { steps } = only(stdout) as { steps: { status: number }[] };
    expect([code, steps.map(({ status }) => status)]).toEqual([0, STATUSES]);
    expect(stdout).not.toContain(PASSWORD);
  });

  it.each([
    [
      '--url http://127.0.0.1:1',
      1,
      /Nothing answers at http:\/\/127\.0\.0\.1:1\b.*: start Keks with "npm start"/,
    ],
    ['--url nowhere', 2, /--url takes/],
    ['--user Ann', 2, /--password-stdin/],
  ])('demo %s: one line', async (args, exit, message) => {
    const { code, stdout, stderr } = await here(`demo ${args}`);
    expect([code, stdout, stderr]).toEqual([exit, '', expect.stringMatching(message)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
