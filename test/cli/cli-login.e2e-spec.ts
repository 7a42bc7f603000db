import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { decide } from '../support/device.js';
import { startInstance, type Instance } from '../support/instance.js';
import { commandLine } from '../support/keks-here.js';
import { ManualClock } from '../support/manual-clock.js';
import { BY_OPERATOR, isAlive } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { launch, type ServerProcess } from '../support/process.js';
import { program } from '../support/program.js';
import { environment, PASSWORD, PATIENTLY } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import { vi } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'keks-login-'));
const file = join(folder, 'keks', 'logins.json');
const { run, refused } = commandLine(() => ({ XDG_CONFIG_HOME: folder }));

let database: TestDatabase;
let operator: Instance;
let server: ServerProcess;
let client: string;

beforeAll(async () => {
  database = await createDatabase();
  operator = await startInstance(database.url, new ManualClock());
  const url = `http://127.0.0.1:${await freePort()}`;
  server = launch(environment(database.url, { ISSUER: url, PORT: new URL(url).port }), url);
  await vi.waitFor(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200), PATIENTLY);
  await operator.get(UsersService).addUnchecked('Ann', PASSWORD, ['cookies:eat'], OPERATOR);
  const made = await operator.get<ClientsService>(ClientsService).addPublic(
    {
      ...{ name: 'keks', scope: ['cookies:eat'], audience: [], resources: [], tokenFormat: 'opaque' },
      ...{ name: 'terminal', deviceGrant: true },
    },
    BY_OPERATOR,
  );
  client = made.clientId;
});

afterAll(async () => {
  await server.stop();
  await operator.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

/** `keks login`, and what it has said until now. */
function start(...args: string[]): { child: ChildProcess; said: { out: string; err: string } } {
  const said = { out: '', err: '' };
  const given = ['login', '--server', server.url, '--client', client, ...args];
  const child = spawn(process.execPath, [program('cli'), ...given], {
    env: { PATH: process.env.PATH ?? '', XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout?.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  return { child, said };
}

async function answered(decision: 'allow' | 'deny', ...args: string[]) {
  const { child, said } = start(...args);
  const ended = once(child, 'close') as Promise<[number]>;
  const code = await vi.waitFor(() => {
    const [shown] = /[B-Z]{3}-[B-Z]{3}-[B-Z]{3}/.exec(said.err) ?? [];
    if (shown === undefined) throw new Error(`no code yet: ${said.err}`);
    return shown;
  }, PATIENTLY);
  await decide(new Visitor(server.url), 'Ann', code, decision);
  const [exit] = await ended;
  return { exit, ...said };
}

describe('keks login', () => {
  it('shows the address and a code, and keeps the token for its owner alone; keks logout ends it', async () => {
    const { exit, out, err } = await answered('allow', '--scope', 'cookies:eat offline_access', '--json');
    expect([exit, err]).toEqual([0, expect.stringContaining(`Open ${server.url}/device in a browser`)]);
    expect(JSON.parse(out)).toMatchObject({ server: server.url, scope: 'cookies:eat', file });
    expect(out).not.toContain('kat_');
    expect([statSync(file).mode & 0o777, statSync(join(folder, 'keks')).mode & 0o777]).toEqual([
      0o600, 0o700,
    ]);
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
    const { access_token: token = '', refresh_token: refresh } = stored[server.url] ?? {};
    expect([await isAlive(server, token), refresh]).toEqual([true, expect.stringMatching(/^krt_/)]);
    expect(await refused('login', '--server', server.url, '--client', client)).toEqual([
      1,
      'invalid_request',
    ]);
    expect((await run('logout')).stdout).toContain('the token is dead');
    expect([await isAlive(server, token), existsSync(file)]).toEqual([false, false]);
    expect(await refused('logout')).toEqual([1, 'not_found']);
  });

  it('--print: the token on standard output, and nothing is stored', async () => {
    const { exit, out } = await answered('allow', '--print');
    expect([exit, out]).toEqual([0, expect.stringMatching(/^kat_\S+\n$/)]);
    expect([await isAlive(server, out.trim()), existsSync(file)]).toEqual([true, false]);
  });

  it('says that the person has said no', async () => {
    const { exit, out, err } = await answered('deny', '--json');
    expect([exit, out]).toEqual([1, '']);
    expect(JSON.parse(err.split('\n').at(-2) ?? '')).toMatchObject({ error: 'access_denied' });
  });

  it.each([
    ['a client that is unknown', ['--client', 'c-000000000000000000000000'], 'invalid_client'],
    ['more scope than the client has', ['--client', '', '--scope', 'cookies:burn'], 'invalid_scope'],
  ])('refuses %s, in the words of the server', async (_, args, error) => {
    const given = args.map((one) => one || client);
    expect(await refused('login', '--server', server.url, ...given)).toEqual([1, error]);
  });

  it.each([
    ['http elsewhere', 'http://auth.example.com', 2],
    ['no address', 'auth.example.com', 2],
    ['where nobody is', 'http://127.0.0.1:1', 1],
  ])('refuses a server: %s', async (_, url, exit) => {
    const { code, stderr } = await run('login', '--server', url, '--client', client);
    expect([code, stderr.length > 0]).toEqual([exit, true]);
  });

  it('refuses a server that says it is another one (RFC 8414 §3.3)', async () => {
    const other = server.url.replace('127.0.0.1', 'localhost');
    expect(await refused('login', '--server', other, '--client', client)).toEqual([1, 'invalid_request']);
  });
});

describe('keks logout', () => {
  const login = { client_id: 'c-0', access_token: 'x', token_type: 'Bearer' };

  it('keeps the token when the server cannot be asked, and wants to know where if there are several', async () => {
    const logins = { 'http://127.0.0.1:1': login };
    writeFileSync(file, JSON.stringify(logins));
    expect(await refused('logout')).toEqual([1, 'temporarily_unavailable']);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(logins);
    writeFileSync(file, JSON.stringify({ ...logins, [server.url]: login }));
    expect(await refused('logout')).toEqual([2, 'invalid_request']);
    // its client is gone, and what it had with it
    expect((await run('logout', '--server', server.url)).code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(logins);
  });

  it('says so when the file is none of its own', async () => {
    writeFileSync(file, 'not JSON');
    expect(await refused('logout')).toEqual([1, 'invalid_request']);
  });
});
