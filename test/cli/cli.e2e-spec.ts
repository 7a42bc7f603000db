import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { TokenExplainer, type TokenFlaw } from '../../src/auth/tokens/token-explainer.js';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { flawText } from '../../src/cli/verbs/token-explanation.js';
import { secretOf } from '../../src/cli/stdin.js';
import { findRunning } from '../../src/database/embedded/embedded-postgres.js';
import { connectionOf } from '../../src/database/pools.js';
import { createDatabase } from '../support/database.js';
import { keks, only, printed, type Run, type RunOptions } from '../support/keks.js';
import { keksHere, type HereOptions } from '../support/keks-here.js';
import { BY_OPERATOR } from '../support/oauth.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { loose, program } from '../support/program.js';
import {
  environment,
  get,
  PASSWORD,
  post,
  SECRET_KEY,
  startTestApp,
  type TestApp,
  FAR_AWAY,
} from '../support/test-app.js';
import { forged, genuine } from '../support/token-smith.js';

const OTHER_PASSWORD = 'eleven quiet teapots on a wooden raft';
const SECRETS = [PASSWORD, OTHER_PASSWORD, SECRET_KEY, 'hunter2'];
const AT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/;

// many processes, on as few cores as there are
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 4 });

let app: TestApp;
let settings: Record<string, string>;

beforeAll(async () => {
  app = await startTestApp();
  settings = environment(app.database.url);
});

afterAll(() => app.close());

function run(args: string, options: HereOptions = {}, extra: Record<string, string> = {}): Promise<Run> {
  return keksHere({ ...settings, ...extra }, words(args), options);
}

/** As a shell would: "a b" is one word. */
function words(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
}

async function json(args: string, options?: HereOptions, extra?: Record<string, string>): Promise<unknown> {
  const { code, stdout, stderr } = await run(`${args} --json`, options, extra);
  expect([code, stderr]).toEqual([0, '']);
  return only(stdout);
}

/** Refused with exit code 1: nothing on stdout, the error shape on stderr. */
async function refused(args: string, options?: HereOptions, extra?: Record<string, string>) {
  const { code, stdout, stderr } = await run(`${args} --json`, options, extra);
  expect([code, stdout]).toEqual([1, '']);
  const shape = only(stderr) as { error: string; error_description: string; parameter?: string };
  expect(Object.keys(shape).filter((name) => name !== 'parameter')).toEqual(['error', 'error_description']);
  expect(shape.error_description).not.toMatch(/\n| at .*\.js:/);
  return shape;
}

async function login(user: string, password = PASSWORD, scope?: string): Promise<string> {
  const token = await app.login(user, scope, password);
  SECRETS.push(token);
  return token;
}

describe('the program', () => {
  it('begins with a line that makes it a command', () => {
    expect(readFileSync(loose('cli'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('says its version', async () => {
    expect((await keks({}, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.concurrent('works when nobody reads to the end', async () => {
    const line = `"${process.execPath}" ${program('cli')} --help | true; "${process.execPath}" ${program('cli')} user list | head -c 1`;
    const env = { PATH: process.env.PATH ?? '', ...settings };
    const { status, stderr } = spawnSync('bash', ['--norc', '-o', 'pipefail', '-c', line], {
      env,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  it.skipIf(!existsSync('/dev/full'))('does not claim what it could not write', () => {
    const line = `"${process.execPath}" ${program('cli')} database-url > /dev/full`;
    const env = { PATH: process.env.PATH ?? '', ...settings };
    const { status, stderr } = spawnSync('sh', ['-c', line], { env, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/ENOSPC/);
  });
});

describe('wrong usage is exit code 2', () => {
  it('of the process too', async () => {
    const { code, stdout, stderr } = await keks(settings, ['usr', 'list']);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(/Did you mean user\?/)]);
  });

  it.concurrent.each([
    ['usr list', /Did you mean user\?/],
    ['user lst', /Did you mean list\?/],
    ['user list --jsn', /Did you mean --json\?/],
    ['user add Anna --password hunter2', /A secret is never an argument/],
    ['user add Anna --password=hunter2', /A secret is never an argument/],
    ['user add Anna --scopes a', /Did you mean --scope\?/],
    ['user add Anna hunter2 --password-stdin', /too many arguments/],
    ['token hunter2', /no such verb/],
    ['user add Anna', /--password-stdin/],
    ['user add --password-stdin', /missing required argument/],
    ['user add Anna --password-stdin --scope a --scope b', /given once/],
    ['user', /Say what to do/],
    ['', /Say what to do/],
  ])('%s', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it.concurrent.each([
    ['usr list --json', /Did you mean user\?/],
    ['user --json', /^Say what to do\.$/],
    ['--json user add Anna', /--password-stdin/],
  ])('%s: told in the error shape', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(only(stderr)).toEqual({
      error: 'invalid_request',
      error_description: expect.stringMatching(message),
    });
  });

  it.skipIf(!existsSync('/usr/bin/script'))('a terminal where a secret was expected', () => {
    const line = `"${process.execPath}" ${program('cli')} token explain`;
    const { status, stdout } = spawnSync('/usr/bin/script', ['-qec', line, '/dev/null'], {
      env: { PATH: process.env.PATH ?? '', TERM: 'dumb', ...settings },
      encoding: 'utf8',
      timeout: 45_000,
    });
    expect(stdout).toMatch(/Give the token on standard input/);
    expect(status).toBe(2);
  });
});

describe('standard input', () => {
  it.each([
    ['one LF', 'secret\n', 'secret'],
    ['one CRLF', 'secret\r\n', 'secret'],
    ['nothing where there is no line end', 'secret', 'secret'],
    ['the last of two LFs', 'secret\n\n', 'secret\n'],
    ['no CR alone', 'secret\r', 'secret\r'],
    ['no space', ' secret \n', ' secret '],
    ['no byte order mark', '\ufeffsecret', '\ufeffsecret'],
  ])('loses %s', (_, input, secret) => {
    expect(secretOf(Buffer.from(input), 'the password')).toBe(secret);
  });

  it.concurrent.each([
    ['ill-formed UTF-8', Buffer.concat([Buffer.from(PASSWORD), Buffer.of(0xff)]), 'invalid_request'],
    ['a cut character', Buffer.from(`${PASSWORD}é`).subarray(0, -1), 'invalid_request'],
    ['a NUL, which HTTP never takes', `${PASSWORD}\0`, 'invalid_request'],
    ['a NUL in front', `\0${PASSWORD}`, 'invalid_request'],
    ['nothing', '', 'invalid_request'],
    ['an empty line', '\n', 'invalid_request'],
    ['more than 64 KiB', 'x'.repeat(70_000), 'payload_too_large'],
  ])('is refused with %s', async (_, input, error) => {
    expect((await refused('user add Nobody --password-stdin', { input })).error).toBe(error);
  });
});

describe('keks user', () => {
  it('add: prints id, name and scope', async () => {
    const args = ['user', 'add', 'Anna', '--password-stdin', '--scope', 'cookies:eat keks:admin', '--json'];
    const { code, stdout, stderr } = await keks(settings, args, { input: `${PASSWORD}\r\n` });
    expect([code, stderr]).toEqual([0, '']);
    const added = only(stdout);
    expect(added).toEqual({ id: expect.any(String), name: 'Anna', scope: 'cookies:eat keks:admin' });
    expect(Object.keys(added as object)).toEqual(['id', 'name', 'scope']);
    const token = await login('anna');
    expect((await get(app.url, '/cookies', token)).status).toBe(200);
  });

  it.concurrent.each([
    ['a name that is taken', 'anna --scope a', 'name_taken', 'name', /already/],
    ['a malformed scope', 'Berta --scope "a  b"', 'invalid_scope', 'scope', /malformed/],
    ['offline_access', 'Berta --scope "a offline_access"', 'invalid_scope', 'scope', /cannot be given/],
  ])('add: refuses %s', async (_, args, error, parameter, message) => {
    const shape = await refused(`user add ${args} --password-stdin`, { input: PASSWORD });
    expect([shape.error, shape.parameter]).toEqual([error, parameter]);
    expect(shape.error_description).toMatch(message);
  });

  it.concurrent('add: refuses a short password, and never repeats it', async () => {
    const shape = await refused('user add Berta --password-stdin', { input: 'hunter2' });
    expect([shape.error, shape.parameter]).toEqual(['weak_password', 'password']);
    expect(shape.error_description).toMatch(/too short/);
  });

  it('add: nobody is given keks:account, whoever asks', async () => {
    const users = app.app.get(UsersService);
    for (const scope of ['keks:account', 'offline_access', 'a"b', ''])
      expect(await users.addUnchecked('Berta', PASSWORD, [scope], OPERATOR)).toEqual({
        flaw: 'scope_invalid',
      });
  });

  it('list: an array, and a table for people', async () => {
    const users = (await json('user list')) as { name: string }[];
    expect(users.find(({ name }) => name === 'Anna')).toEqual({
      id: expect.any(String),
      name: 'Anna',
      scope: 'cookies:eat keks:admin',
      disabled: false,
      created_at: expect.stringMatching(/Z$/),
    });
    const { code, stdout } = await run('user list');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^NAME +SCOPE +STATE +CREATED +ID$/);
    expect(stdout).toMatch(/\nAnna +cookies:eat keks:admin +enabled /);
  });

  it.concurrent.each([
    ['Carla', '', 401, 'sessions and API keys have'],
    ['Carlo', '--keys', 401, 'sessions and API keys have'],
    ['Carol', '--keep-keys', 200, 'sessions have'],
  ])(
    'passwd of %s with "%s": the old password and its sessions are dead, a key answers %d',
    async (name, option, code, ended) => {
      await app.addUser(name);
      const token = await login(name);
      const { key } = (
        await post(app.url, '/keys', { label: 'x', password: PASSWORD }, { authorization: `Bearer ${token}` })
      ).body as { key: string };
      const { stdout } = await run(`user passwd ${name.toLowerCase()} --password-stdin ${option}`.trim(), {
        input: `${OTHER_PASSWORD}\n`,
      });
      expect(stdout).toBe(`${name} has a new password; earlier ${ended} ended.\n`);
      expect((await get(app.url, '/cookies', token)).status).toBe(401);
      expect((await get(app.url, '/cookies', key)).status).toBe(code);
      expect((await post(app.url, '/issue', { user: name, password: PASSWORD })).status).toBe(401);
      await login(name, OTHER_PASSWORD);
    },
  );

  it.concurrent('passwd: one JSON document with --json; keys cannot be kept and ended', async () => {
    await app.addUser('Carlos');
    const changed = await json('user passwd carlos --password-stdin', { input: `${OTHER_PASSWORD}\n` });
    expect(changed).toEqual({ id: expect.any(String), name: 'Carlos', scope: 'cookies:eat' });
    const { code } = await run('user passwd carlos --password-stdin --keys --keep-keys', {
      input: `${OTHER_PASSWORD}\n`,
    });
    expect(code).toBe(2);
  });

  it.concurrent('disable: dead at once; enable: may log in again, and gets nothing back', async () => {
    await app.addUser('Dora');
    const token = await login('Dora');
    expect(await json('user disable DORA')).toMatchObject({ name: 'Dora', disabled: true });
    expect((await get(app.url, '/cookies', token)).status).toBe(401);
    expect((await post(app.url, '/issue', { user: 'Dora', password: PASSWORD })).status).toBe(401);
    expect(await json('user enable Dora')).toMatchObject({ name: 'Dora', disabled: false });
    expect((await get(app.url, '/cookies', token)).status).toBe(401);
    await login('Dora');
  });

  it.concurrent('disable: there is no such user', async () => {
    expect((await refused('user disable Nobody')).error).toBe('not_found');
  });
});

async function explain(token: string): Promise<{ reasons: TokenFlaw[]; told: string }> {
  SECRETS.push(token);
  const explanation = await app.app.get(TokenExplainer).explain(token);
  const { flaws } = explanation;
  return { reasons: [...flaws], told: flaws.map((flaw) => flawText(flaw, explanation, token)).join('\n') };
}

async function reasons(token: string): Promise<TokenFlaw[]> {
  return (await explain(token)).reasons;
}

function mint(prefix: string, seconds: number): string {
  return genuine(prefix, Math.floor(Date.now() / 1_000) + seconds, app.app.get(TokenKeys).current);
}

describe('keks token', () => {
  let token: string;
  beforeAll(async () => {
    await app.addUser('Emil', 'cookies:eat');
    token = await login('Emil');
  });

  it('explain: everything about one that is active', async () => {
    const found = await json('token explain', { input: `${token}\n` });
    expect(found).toMatchObject({
      active: true,
      kind: 'access',
      format: 'opaque',
      reasons: [],
      username: 'Emil',
      scope: 'cookies:eat keks:account',
      grant_kind: 'login',
      revoked_at: null,
    });
    const { stdout } = await run('token explain', { input: token });
    expect(stdout).toMatch(/^It is +an access token\n[^]*expires +20[^]*Active: an API accepts it\.\n$/);
  });

  it('explain --for: what an API hears of it, and why', async () => {
    const clients = app.app.get(ClientsService);
    const api = (audience: string[]) =>
      clients.add({ name: 'api', scope: [], audience, resources: [], tokenFormat: 'opaque' }, BY_OPERATOR);
    const told = async (id: string): Promise<unknown> => {
      const found = await json(`token explain --for ${id}`, { input: token });
      return (found as { for: unknown }).for;
    };
    const [right, wrong] = [await api(['http://127.0.0.1:3000']), await api(['http://localhost:3000'])];
    expect(await told(right.clientId)).toEqual({ client_id: right.clientId, active: true, reason: null });
    expect(await told(wrong.clientId)).toMatchObject({ active: false, reason: 'wrong_audience' });
    const { stdout } = await run(`token explain --for ${wrong.clientId}`, { input: token });
    expect(stdout).toMatch(
      /Active[^]*is told that it is not active: the token is for http:\/\/127[^]*spelled in two ways/,
    );
    await clients.change(right.clientId, { disabled: true }, BY_OPERATOR);
    expect(await told(right.clientId)).toMatchObject({ active: false, reason: 'client_disabled' });
    await clients.change(wrong.clientId, { disabled: true }, BY_OPERATOR);
    expect((await refused('token explain --for c-none', { input: token })).error).toBe('not_found');
  });

  it('explain: what is wrong with it', async () => {
    const { code, stdout } = await run('token explain', { input: ` ${token}` });
    expect(code).toBe(0);
    expect(stdout).toBe('Refused: It is not spelled like a token of Keks: there is white space around it.\n');
  });

  it.each([
    ['the scheme', (text: string) => `Bearer ${text}`, /the word Bearer/],
    ['quotation marks', (text: string) => `"${text}"`, /quotation marks/],
    ['too few characters', (text: string) => text.slice(0, -2), /56 characters instead of 58/],
    ['a character that no token has', (text: string) => `${text.slice(0, -1)}~`, /that no token has/],
    ['another prefix', (text: string) => `x${text}`, /does not begin with/],
  ])('explain: what is wrong with the spelling: %s', async (_, spoil, message) => {
    expect((await explain(spoil(token))).told).toMatch(message);
  });

  it('explain: checksum, key, MAC', async () => {
    const last = token.at(-1) === 'a' ? 'b' : 'a';
    const { keyId } = { keyId: Buffer.from(token.slice(4, 52), 'base64url').readUInt8(0) };
    const found = await Promise.all([
      reasons(token.slice(0, -1) + last),
      reasons(forged(token, { keyId: keyId ^ 1 })),
      reasons(forged(token, { mac: Buffer.alloc(8) })),
    ]);
    expect(found).toEqual([['checksum'], ['key'], ['mac']]);
  });

  it('explain: expired, unknown, the wrong kind', async () => {
    const issued = await post(app.url, '/issue', {
      user: 'Emil',
      password: PASSWORD,
      scope: 'offline_access',
    });
    const { refresh_token: refresh } = issued.body as { refresh_token: string };
    const found = await Promise.all([
      reasons(mint('kat_', -60)),
      reasons(mint('kat_', 60)),
      reasons(mint('kcs_', 60)),
      reasons(refresh),
      reasons('eyJhbGciOiJub25lIn0.e30.'),
    ]);
    expect(found).toEqual([
      ['expired'],
      ['unknown'],
      ['wrong_kind', 'unknown'],
      ['wrong_kind'],
      ['malformed'],
    ]);
  });

  it('explain: when and why it was revoked', async () => {
    await app.addUser('Franz');
    const [revoked, orphan] = [await login('Franz'), await login('Franz')];
    await post(app.url, '/revoke', { token: revoked });
    expect((await explain(revoked)).told).toMatch(
      new RegExp(`^It was revoked at ${AT.source} by holder\\.$`),
    );
    await app.app.get(UsersService).setDisabled('Franz', true, OPERATOR);
    expect((await explain(orphan)).told).toMatch(
      new RegExp(`^Its grant was revoked at ${AT.source}.*: user_disabled\\.$`),
    );
    expect(await reasons(orphan)).toEqual(['grant_revoked']);
  });

  it.concurrent('revoke: dead at once, and as often as you like', async () => {
    await app.addUser('Gerda');
    const input = await login('Gerda');
    for (let round = 0; round < 2; round += 1) {
      expect(await json('token revoke', { input })).toEqual({
        revoked: true,
        kind: 'access',
        token_id: expect.any(String),
      });
      expect((await get(app.url, '/cookies', input)).status).toBe(401);
    }
    const { rows } = await app.database.client.query(
      `SELECT actor FROM audit_events WHERE type = 'token.revoked' AND actor = 'operator'`,
    );
    expect(rows).toHaveLength(1);
  });

  it.concurrent('revoke: says when that was no token of ours', async () => {
    const shape = await refused('token revoke', { input: token.slice(0, -1) });
    expect(shape.error_description).toMatch(/^Nothing was revoked\. .*57 characters/);
    expect((await get(app.url, '/cookies', token)).status).toBe(200);
  });
});

describe('keks migrate, purge and database-url', () => {
  it.concurrent('migrate: makes the schema, once; the rest works on it', async () => {
    const database = await createDatabase({ empty: true });
    const extra = { DATABASE_URL: database.url };
    const first = (await json('migrate', {}, extra)) as { migrations: string[] };
    expect(first.migrations.length).toBeGreaterThan(0);
    expect(await json('migrate', {}, extra)).toEqual({ migrations: [] });
    await database.client.query(`INSERT INTO migrations (timestamp, name) VALUES (1, 'FromTheFuture1')`);
    await database.client.query(`COMMENT ON TABLE migrations IS 'compatible_from=9999999999999'`);
    const shape = await refused('user list', {}, extra);
    expect(shape.error_description).toMatch(/newer than this program.*FromTheFuture1/);
    await database.close();
  });

  it.concurrent('purge: drops what is over', async () => {
    const database = await createDatabase();
    await database.client.query(`SELECT keks_make_partition('access_tokens', '2020-01-01', '2020-01-02')`);
    const done = await json('purge', {}, { DATABASE_URL: database.url });
    expect(done).toEqual({ partitions: ['access_tokens_20200101'], grants: 0 });
    await database.close();
  });

  it.concurrent('database-url: as it was configured, whatever else is wrong', async () => {
    const bare = await keksHere({ DATABASE_URL: app.database.url }, ['database-url']);
    expect(bare).toEqual({ code: 0, stdout: `${app.database.url}\n`, stderr: '' });
    expect(await json('database-url')).toEqual({ database_url: app.database.url });
  });

  it.concurrent.each([
    { DATABASE_URL: 'postgres//typo' },
    { DATABASE_URL: '', DATABASE_URL_FILE: '/nowhere/database-url' },
  ])(
    'database-url: a setting that cannot be used is told, and no other database named: %j',
    async (extra) => {
      const { code, stdout, stderr } = await keksHere({ ...settings, ...extra }, ['database-url']);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/DATABASE_URL/);
      expect(stderr).not.toMatch(/embedded/);
    },
  );
});

describe('keks doctor', () => {
  type Report = { ok: boolean; checks: { check: string; status: string; message: string; mend?: string }[] };
  const doctor = async (extra: Record<string, string>): Promise<{ code: Run['code']; report: Report }> => {
    const { code, stdout, stderr } = await run('doctor --json', {}, extra);
    expect(stderr).toBe('');
    return { code, report: only(stdout) as Report };
  };
  const notOk = ({ checks }: Report): string[] =>
    checks.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${status} ${check}`);

  it('finds nothing where all is well', async () => {
    const { code, report } = await doctor({});
    expect(notOk(report)).toEqual([]);
    expect([code, report.ok]).toEqual([0, true]);
    const checks = report.checks.map(({ check }) => check);
    for (const check of ['node', 'configuration', 'server', 'primary', 'clock', 'schema', 'passwords'])
      expect(checks).toContain(check);
  });

  it.concurrent(
    'finds clients that may ask tokens for any API, and audiences spelled in another way',
    async () => {
      const database = await createDatabase();
      await database.client.query(
        `INSERT INTO clients (client_id, name, scope, audience, token_format, resources)
       VALUES ('c-old', 'old', '', '{}', 'opaque', NULL), ('c-api', 'api', '', '{http://localhost:3000}', 'opaque', '{}')`,
      );
      const { report } = await doctor({ DATABASE_URL: database.url });
      const found = report.checks.filter(({ check }) => check === 'clients');
      expect(found).toMatchObject([
        {
          status: 'warn',
          message: 'c-old (old) may ask tokens for any API',
          mend: expect.stringContaining('set-resources'),
        },
        {
          status: 'warn',
          message: expect.stringMatching(/^the audience of c-api \(api\) is http:\/\/localhost:3000/),
        },
      ]);
      await database.close();
    },
  );

  it.concurrent.each([
    ['just now', 'ok'],
    ['2 hours ago', 'warn'],
  ])('finds endings that are not written down: since %s', async (since, status) => {
    const database = await createDatabase();
    await database.client.query(
      `WITH owner AS (INSERT INTO users (name, name_folded, password_hash, scope) VALUES ('Old', 'old', 'keks1$', '') RETURNING id)
       INSERT INTO owner_endings (ended_at, reason, user_id, epoch, kinds)
       SELECT now() - $1::interval, 'test', id, 0, '{login}' FROM owner`,
      [since === 'just now' ? '0' : '2 hours'],
    );
    const { report } = await doctor({ DATABASE_URL: database.url });
    const found = report.checks.find(({ check }) => check === 'endings');
    expect(found).toMatchObject({ status, message: expect.stringMatching(/^1 being written down/) });
    await database.close();
  });

  it.concurrent('finds a SECRET_KEY that does not fit', async () => {
    await app.addUser('Otto');
    const { code, report } = await doctor({ SECRET_KEY: SECRET_KEY.replace('6b', '6c') });
    expect(code).toBe(1);
    for (const finding of ['fail secret key', 'fail passwords']) expect(notOk(report)).toContain(finding);
  });

  it.concurrent('finds a schema that is missing, and changes nothing', async () => {
    const database = await createDatabase({ empty: true });
    const { code, report } = await doctor({ DATABASE_URL: database.url });
    expect([code, notOk(report)]).toEqual([1, ['fail schema']]);
    expect(report.checks.at(-1)?.mend).toMatch(/keks migrate/);
    const { rows } = await database.client.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`);
    expect(rows).toHaveLength(0);
    await database.close();
  });

  it.concurrent('finds partitions that are missing, and rows astray', async () => {
    const database = await createDatabase();
    await database.client.query(
      `INSERT INTO audit_events (type, created_at) VALUES ('test', '2020-01-01'::timestamptz)`,
    );
    // as on the days when no server ran
    const { rows } = await database.client.query<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits
        WHERE inhparent = 'access_tokens'::regclass AND inhrelid::regclass::text <> 'access_tokens_default'`,
    );
    for (const { name } of rows) await database.client.query(`DROP TABLE ${name}`);
    const { code, report } = await doctor({ DATABASE_URL: database.url });
    expect(code).toBe(0);
    expect(notOk(report)).toContain('warn access_tokens');
    await run('purge', {}, { DATABASE_URL: database.url });
    expect(notOk((await doctor({ DATABASE_URL: database.url })).report)).toEqual(['warn audit_events']);
    await database.close();
  });

  it.concurrent('finds what is wrong with the configuration, every line of it, and the issuer', async () => {
    const { code, report } = await doctor({
      PORT: 'x',
      BCRYPT_COST: '99',
      ISSUER: 'https://auth.example.com',
    });
    expect(code).toBe(1);
    expect(notOk(report)).toEqual(['fail configuration', 'fail configuration', 'warn issuer']);
  });
});

describe('what is in the way', () => {
  it.concurrent('a configuration that cannot be: every problem, exit code 1', async () => {
    const { code, stdout, stderr } = await keks({ ...settings, PORT: 'x', BCRYPT_COST: '99' }, [
      'user',
      'list',
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim().split('\n')).toHaveLength(2);
  });

  it.concurrent('a database that does not answer: no stack, no password', async () => {
    const extra = { DATABASE_URL: 'postgresql://keks:hunter2@127.0.0.1:1/keks' };
    const shape = await refused('user list', {}, extra);
    expect(shape).toEqual({
      error: 'temporarily_unavailable',
      error_description: expect.stringMatching(
        /^The database does not answer: check DATABASE_URL.*ECONNREFUSED/,
      ),
    });
  });

  it.concurrent('a database that does not exist: at once', async () => {
    const url = new URL(app.database.url);
    url.pathname = '/nowhere';
    expect((await refused('user list', {}, { DATABASE_URL: url.href })).error_description).toMatch(/nowhere/);
  });
});

describe('with the embedded database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keks-cli-'));
  const dataDir = join(folder, 'data');
  const embedded = { DATA_DIR: dataDir, NODE_ENV: 'test', BCRYPT_COST: '4', DATABASE_TIMEOUT: FAR_AWAY };
  const at = (args: string, options?: RunOptions): Promise<Run> => keks(embedded, words(args), options);
  const here = (args: string, options?: HereOptions): Promise<Run> =>
    keksHere(embedded, words(args), options);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('nothing is made by those who only look', async () => {
    const [doctor, url] = await Promise.all([here('doctor'), here('database-url')]);
    expect(doctor.code).toBe(0);
    expect([url.code, url.stdout]).toEqual([1, '']);
    expect(url.stderr).toMatch(/No embedded database is running here: start Keks/);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('a verb starts it for itself and stops it', async () => {
    const { code, stdout, stderr } = await at('user add Ida --password-stdin --json', { input: PASSWORD });
    expect([code, stderr]).toEqual([0, '']);
    expect(only(stdout)).toMatchObject({ name: 'Ida' });
    expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
    expect(await findRunning(dataDir)).toBeNull();
  });

  it('several at once share it, and none cuts off another', async () => {
    const runs = await Promise.all(['user list', 'doctor', 'purge'].map((args) => at(`${args} --json`)));
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(runs.map(() => [0, '']));
    expect(await findRunning(dataDir)).toBeNull();
  });

  it('is stopped when the verb is interrupted, and the signal is passed on', async () => {
    const interrupt = (pid: number): void => {
      // as soon as the server that the verb has started answers
      const timer = setInterval(() => {
        if (!existsSync(join(dataDir, 'postgres', 'postmaster.pid'))) return;
        clearInterval(timer);
        process.kill(pid, 'SIGINT');
      }, 2);
    };
    const { code, stderr } = await at('user list', { meanwhile: interrupt });
    expect([code, stderr]).toEqual(['SIGINT', '']);
    expect(await findRunning(dataDir)).toBeNull();
  });

  describe('beside a running server', () => {
    let server: ServerProcess;

    beforeAll(async () => {
      server = await startProcess({ ...embedded, LOG_LEVEL: 'warn' });
    });

    afterAll(async () => {
      await server.stop();
    });

    it('finds and uses that one', async () => {
      const added = await at('user add Jutta --password-stdin --scope cookies:eat --json', {
        input: PASSWORD,
      });
      expect(added.code).toBe(0);
      const issued = await post(server.url, '/issue', { user: 'Jutta', password: PASSWORD });
      const { token } = issued.body as { token: string };
      SECRETS.push(token);
      expect((await get(server.url, '/cookies', token)).status).toBe(200);
      expect((await here('token revoke', { input: token })).code).toBe(0);
      expect((await get(server.url, '/cookies', token)).status).toBe(401);
    });

    it('database-url leads to it', async () => {
      const { code, stdout } = await here('database-url');
      expect(code).toBe(0);
      const client = new Client(connectionOf(stdout.trim()));
      await client.connect();
      const { rows } = await client.query('SELECT name FROM users ORDER BY name');
      await client.end();
      expect(rows.map(({ name }) => name)).toEqual(['CookieDestroyer', 'Ida', 'Jutta']);
    });

    it('doctor is content, and the server lives on', async () => {
      const { code, stdout } = await here('doctor');
      expect(stdout).not.toMatch(/^(?:warn|fail)/m);
      expect(code).toBe(0);
      expect((await get(server.url, '/health/ready')).status).toBe(200);
    });
  });
});

describe('secrets', () => {
  it('are in no output of any run', () => {
    const all = printed.join('\n');
    for (const secret of SECRETS.filter((one) => one.length > 5)) expect(all).not.toContain(secret);
  });
});
