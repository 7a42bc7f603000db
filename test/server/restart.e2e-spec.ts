import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { DEMO_USER } from '../../src/auth/users/demo-identity.js';
import { PasswordHash } from '../../src/auth/users/password-hash.js';
import { isServerOf, readPidFile } from '../../src/database/embedded/postmaster-identity.js';
import { connectionOf } from '../../src/database/pools.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/ports.js';
import { launch, type ServerProcess } from '../support/process.js';
import { program } from '../support/program.js';
import {
  environment,
  FAR_AWAY,
  get,
  PASSWORD,
  PATIENTLY,
  post,
  SECRET_KEY,
  type Answer,
} from '../support/test-app.js';

/** `INSTANCES=20 npx vitest run test/server/restart`: each costs a second and more of the machine. */
const INSTANCES = Number(process.env.INSTANCES ?? 5);

interface Keks extends ServerProcess {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

const running = new Set<Keks>();
const folders: string[] = [];

async function start(settings: Record<string, string>): Promise<Keks> {
  const port = settings['PORT'] ?? String(await freePort());
  const server = launch({ ...settings, PORT: port }, `http://127.0.0.1:${port}`);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    server.child[name]?.on('data', (chunk: Buffer) => (texts[name] += chunk.toString()));
  const keks = { ...server, stdout: () => texts.stdout, stderr: () => texts.stderr };
  running.add(keks);
  server.child.once('exit', () => running.delete(keks));
  return keks;
}

async function ready(keks: Keks): Promise<Keks> {
  await vi.waitFor(
    async () => {
      if (keks.child.exitCode !== null) return;
      expect((await get(keks.url, '/health/ready')).status).toBe(200);
    },
    { timeout: 140_000, interval: 100 },
  );
  expect(keks.child.exitCode, keks.output()).toBeNull();
  return keks;
}

/** What ended by itself: its exit code, and what it said on stderr. */
async function refusal(
  settings: Record<string, string>,
): Promise<{ code: unknown; lines: string[]; stdout: string }> {
  const keks = await start(settings);
  const [code] = await once(keks.child, 'close');
  return { code, lines: keks.stderr().trimEnd().split('\n'), stdout: keks.stdout() };
}

/** 503 is no verdict: right after a start or an end it is asked again. */
async function verdict(ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask();
    if (answer.status !== 503 || attempt === 20) return answer;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function issue(url: string, user: string, password: string): Promise<string> {
  const { status, body } = await verdict(() => post(url, '/issue', { user, password }));
  if (status !== 200) throw new Error(`POST /issue answered ${status}`);
  return (body as { token: string }).token;
}

const revoke = (url: string, token: string): Promise<Answer> =>
  verdict(() => post(url, '/revoke', { token }));
const eat = async (url: string, token: string): Promise<number> =>
  (await verdict(() => get(url, '/cookies', token))).status;

afterEach(() => {
  expect([...running].filter(({ child }) => child.exitCode !== null)).toEqual([]);
});

afterAll(async () => {
  for (const keks of running) await keks.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('with a database of its own', { timeout: 90_000 }, () => {
  const DATA_DIR = join(mkdtempSync(join(tmpdir(), 'keks-restart-')), 'data');
  // the port is in the issuer, and the issuer is whom its tokens are for
  const settings: Record<string, string> = {
    DATA_DIR,
    NODE_ENV: 'test',
    BCRYPT_COST: '4',
    DATABASE_TIMEOUT: FAR_AWAY,
  };
  const cluster = join(DATA_DIR, 'postgres');
  folders.push(dirname(DATA_DIR));
  let keks: Keks;
  let postmaster: number;

  const log = (): Promise<string> => issue(keks.url, DEMO_USER.user, DEMO_USER.password);

  async function again(): Promise<void> {
    keks = await ready(await start(settings));
    postmaster = (await readPidFile(cluster))?.pid ?? 0;
    expect(await isServerOf(cluster, postmaster)).toBe(true);
  }

  /** Logs in and revokes without a pause until the program is gone; what was acknowledged is remembered. */
  async function trafficUntil(end: () => void): Promise<{ alive: string[]; dead: string[] }> {
    const [alive, dead]: [string[], string[]] = [[], []];
    const loop = async (): Promise<void> => {
      for (let n = 0; ; n += 1) {
        const token = await log();
        if (n % 2 === 0) alive.push(token);
        else if ((await post(keks.url, '/revoke', { token })).status === 200) dead.push(token);
      }
    };
    const loops = Array.from({ length: 4 }, () => loop().catch(() => undefined));
    const enough = () => expect(Math.min(alive.length, dead.length)).toBeGreaterThan(15);
    await vi.waitFor(enough, { timeout: 90_000, interval: 20 });
    end();
    await Promise.all(loops);
    return { alive, dead };
  }

  async function expectKept({ alive, dead }: { alive: string[]; dead: string[] }): Promise<void> {
    for (const token of alive) expect(await eat(keks.url, token)).toBe(200);
    for (const token of dead) expect(await eat(keks.url, token)).toBe(401);
  }

  beforeAll(async () => {
    settings['PORT'] = String(await freePort());
    await again();
  });

  it('a cold start prints where it is, and three curl lines that work when pasted', async () => {
    const banner = keks.stdout();
    expect(banner).toContain(`${keks.url}/docs`);
    expect((await get(keks.url, '/docs')).status).toBe(200);
    const lines = banner.split('\n').filter((line) => /^(curl|TOKEN=)/.test(line));
    expect(lines).toHaveLength(3);
    const { stdout } = await promisify(execFile)('bash', ['-c', lines.join('\n')], {
      env: { PATH: process.env.PATH ?? '' },
    });
    const answers = stdout.split(/(?=HTTP\/1\.1 \d{3} )/);
    expect(answers).toHaveLength(2);
    expect(answers[0]).toMatch(/^HTTP\/1\.1 401 .*\r\n[^]*www-authenticate: Bearer realm="CookieFactory"/i);
    expect(answers[1]).toMatch(/^HTTP\/1\.1 200 [^]*\["Cookie","Cookie","Cookie"\]$/);
  });

  it('a second start on the same DATA_DIR says so in one line, exits 1 and does no harm', async () => {
    const { code, lines, stdout } = await refusal({ ...settings, PORT: String(await freePort()) });
    expect([code, stdout]).toEqual([1, '']);
    expect(lines).toEqual([expect.stringContaining(`in use by another Keks (pid ${keks.child.pid})`)]);
    expect(await isServerOf(cluster, postmaster)).toBe(true);
    expect(await eat(keks.url, await log())).toBe(200);
  });

  it.each([
    ['PORT', {}],
    ['PORT', { WORKERS: '2' }],
    ['OPS_PORT', {}],
  ])('a taken %s (%o) is seen before anything is made: one line, exit 1, no DATA_DIR', async (name, more) => {
    const home = mkdtempSync(join(tmpdir(), 'keks-restart-'));
    folders.push(home);
    const { port } = new URL(keks.url);
    const taken = { ...settings, ...more, DATA_DIR: join(home, 'data'), PORT: String(await freePort()) };
    const { code, lines, stdout } = await refusal({ ...taken, [name]: port });
    const where = `127.0.0.1:${port} is taken: stop what listens there, or choose another ${name}.`;
    expect([code, lines, stdout]).toEqual([1, [where], '']);
    expect(readdirSync(home)).toEqual([]);
    expect((await get(keks.url, '/health/ready')).status).toBe(200);
  });

  it('Ctrl-C, even twice, ends it and its PostgreSQL, exit 0; the next start has every token', async () => {
    const [alive, dead] = [await log(), await log()];
    await revoke(keks.url, dead);
    keks.child.kill('SIGINT');
    expect(await keks.stop('SIGINT')).toBe(0);
    expect(await isServerOf(cluster, postmaster)).toBe(false);
    expect(readdirSync(cluster)).not.toContain('postmaster.pid');
    await again();
    expect([await eat(keks.url, alive), await eat(keks.url, dead)]).toEqual([200, 401]);
  });

  it('kill -9: its PostgreSQL lives on, and the next start has every token, and no revoked one', async () => {
    const kept = await trafficUntil(() => keks.child.kill('SIGKILL'));
    expect(await isServerOf(cluster, postmaster)).toBe(true);
    const before = postmaster;
    await again();
    expect(postmaster).not.toBe(before);
    await expectKept(kept);
  });

  it('kill -9 of both: the next start recovers every token, and no revoked one', async () => {
    const kept = await trafficUntil(() => {
      process.kill(postmaster, 'SIGKILL');
      keks.child.kill('SIGKILL');
    });
    await again();
    await expectKept(kept);
  });

  it('kill -9 of PostgreSQL alone: it says so, exits 1, and the next start has every token', async () => {
    const token = await log();
    process.kill(postmaster, 'SIGKILL');
    const [code] = await once(keks.child, 'close');
    expect(code).toBe(1);
    expect(keks.stderr()).toContain('embedded database has ended');
    await again();
    expect(await eat(keks.url, token)).toBe(200);
  });

  it.skipIf(!existsSync('/usr/bin/script'))(
    'a terminal that is closed ends it and its PostgreSQL; SIGHUP alone does not',
    async () => {
      const elsewhere = { ...settings, DATA_DIR: join(dirname(DATA_DIR), 'terminal') };
      const port = await freePort();
      const terminal = spawn(
        '/usr/bin/script',
        ['-qec', `exec "${process.execPath}" ${program('main')}`, '/dev/null'],
        {
          env: { PATH: process.env.PATH ?? '', TERM: 'dumb', ...elsewhere, PORT: String(port) },
          stdio: ['pipe', 'ignore', 'ignore'],
        },
      );
      const url = `http://127.0.0.1:${port}`;
      await vi.waitFor(async () => expect((await get(url, '/health/ready')).status).toBe(200), PATIENTLY);
      const [server] = readFileSync(`/proc/${terminal.pid}/task/${terminal.pid}/children`, 'utf8').split(' ');
      process.kill(Number(server), 'SIGHUP');
      for (let n = 0; n < 5; n += 1) expect((await get(url, '/health/ready')).status).toBe(200);
      terminal.kill('SIGKILL');
      await vi.waitFor(() => expect(fetch(`${url}/health/live`)).rejects.toThrow(), PATIENTLY);
      const cluster = join(elsewhere.DATA_DIR, 'postgres');
      await vi.waitFor(() => expect(readdirSync(cluster)).not.toContain('postmaster.pid'), PATIENTLY);
    },
  );

  it('goes on when nobody reads what it says: `npm start | head -1`', async () => {
    const port = await freePort();
    const DATA_DIR = join(dirname(settings['DATA_DIR'] ?? ''), 'unread');
    const line = `"${process.execPath}" ${program('main')} 2>&1 | head -n 1`;
    const shell = spawn('sh', ['-c', line], {
      env: { PATH: process.env.PATH ?? '', ...settings, DATA_DIR, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    const url = `http://127.0.0.1:${port}`;
    await once(shell.stdout, 'data');
    await vi.waitFor(async () => expect((await get(url, '/health/ready')).status).toBe(200), PATIENTLY);
    expect(await issue(url, DEMO_USER.user, DEMO_USER.password)).toBeTruthy();
    process.kill(-(shell.pid ?? 0), 'SIGINT');
    await vi.waitFor(
      () => expect(readdirSync(join(DATA_DIR, 'postgres'))).not.toContain('postmaster.pid'),
      PATIENTLY,
    );
  });

  it.skipIf(!existsSync('/dev/full'))(
    'serves on when its log cannot be written, as on a full disk',
    async () => {
      const port = await freePort();
      const DATA_DIR = join(dirname(settings['DATA_DIR'] ?? ''), 'full');
      const shell = spawn('sh', ['-c', `exec "${process.execPath}" ${program('main')} > /dev/full 2>&1`], {
        env: { PATH: process.env.PATH ?? '', ...settings, DATA_DIR, PORT: String(port), LOG_LEVEL: 'debug' },
        stdio: 'ignore',
      });
      const ended = once(shell, 'exit');
      const url = `http://127.0.0.1:${port}`;
      await vi.waitFor(async () => expect((await get(url, '/health/ready')).status).toBe(200), PATIENTLY);
      for (let time = 0; time < 3; time += 1) expect((await get(url, '/cookies')).status).toBe(401);
      expect(await issue(url, DEMO_USER.user, DEMO_USER.password)).toBeTruthy();
      shell.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(readdirSync(join(DATA_DIR, 'postgres'))).not.toContain('postmaster.pid');
    },
  );

  it('SIGTERM: what is in flight is answered, with Connection: close, and then it ends, exit 0', async () => {
    const token = await log();
    const body = JSON.stringify({ token });
    const socket = connect(Number(new URL(keks.url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.write(
      `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
    );
    // a request on another connection has been answered after it: the first one is in
    expect(await eat(keks.url, token)).toBe(200);
    const ended = keks.stop('SIGTERM');
    await vi.waitFor(() => expect(fetch(`${keks.url}/health/live`)).rejects.toThrow(), { timeout: 90_000 });
    expect(keks.child.exitCode).toBeNull();
    socket.write(body.slice(9));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*"active":true/i);
    expect(await ended).toBe(0);
    expect(await isServerOf(cluster, postmaster)).toBe(false);
  });

  it('elsewhere than on a terminal nobody is made: it is said how', () => {
    expect(keks.stdout()).toContain('\nnpm run -s keks -- user add admin --scope keks:admin --generate\n');
    expect(keks.output()).not.toMatch(/[a-z2-9]{5}-[a-z2-9]{5}/);
  });

  it.skipIf(!existsSync('/usr/bin/script'))(
    'on a terminal: lines for people, and an administrator whose password is shown once',
    async () => {
      await onTerminal(settings, async (shown, url) => {
        const made = /^ {2}user +(\S+)\n {2}password +(\S+)$/m.exec(shown());
        const [, user = '', password = ''] = made ?? [];
        const token = await issue(url, user, password);
        expect((await get(url, '/admin/users', token)).status).toBe(200);
        expect((await post(url, '/issue', { user, password: `${password}x` })).status).toBe(401);
        const line =
          /^\d\d:\d\d:\d\d info  refused error="invalid_credentials" status=401 network="127\.0\.0\.1"/m;
        await vi.waitFor(() => expect(shown()).toMatch(line), PATIENTLY);
        expect(shown()).not.toContain('{"level"');
        expect(readFileSync(join(DATA_DIR, 'postgres.log'), 'utf8')).not.toContain(password);
      });
      await onTerminal(settings, async (shown) => {
        expect(shown()).toContain('/console');
        expect(shown()).not.toMatch(/admin/);
      });
    },
  );
});

/** What somebody sees who starts it on a terminal, and ends it when `look` is done. */
async function onTerminal(
  settings: Record<string, string>,
  look: (shown: () => string, url: string) => Promise<void>,
): Promise<void> {
  const url = `http://127.0.0.1:${settings['PORT']}`;
  const line = `exec "${process.execPath}" ${program('main')}`;
  const terminal = spawn('/usr/bin/script', ['-qec', line, '/dev/null'], {
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm', NO_COLOR: '1', ...settings },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(terminal, 'close');
  let shown = '';
  terminal.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString().replaceAll('\r', '')));
  try {
    await vi.waitFor(() => expect(shown).toMatch(/^curl [^\n]*\$TOKEN"\n/m), PATIENTLY);
    await look(() => shown, url);
  } finally {
    terminal.stdin.write('\u0003');
    await ended;
  }
}

async function addUser({ client }: TestDatabase): Promise<void> {
  const hash = new PasswordHash({
    SECRET_KEY: Buffer.from(SECRET_KEY, 'hex'),
    SECRET_KEY_PREVIOUS: undefined,
    BCRYPT_COST: 4,
  });
  await client.query(
    `INSERT INTO users (name, name_folded, password_hash, scope) VALUES ('Ann', 'ann', $1, 'cookies:eat')`,
    [await hash.make(PASSWORD)],
  );
}

describe('with DATABASE_URL', { timeout: 180_000 }, () => {
  const databases: TestDatabase[] = [];
  const database = async (options: { empty?: boolean } = {}): Promise<TestDatabase> => {
    const made = await createDatabase(options);
    databases.push(made);
    return made;
  };

  afterAll(async () => {
    for (const one of databases) await one.close();
  });

  describe('a start that cannot succeed', () => {
    it.concurrent('says everything that is wrong with the settings at once, and exits 1', async () => {
      const { code, lines, stdout } = await refusal({
        DATABASE_URL: 'postgresql://keks:hunter2@127.0.0.1:1/keks',
        PORT: 'eighty',
        ACCESS_TOKEN_TTL: 'for ever',
        LOG_LEVEL: 'loud',
        TYPEORM_SYNCHRONIZE: 'true',
      });
      expect([code, stdout]).toEqual([1, '']);
      const named = lines.map((line) => line.split(' ')[0]);
      expect(named.sort()).toEqual([
        'ACCESS_TOKEN_TTL',
        'ISSUER',
        'LOG_LEVEL',
        'PORT',
        'SECRET_KEY',
        'TYPEORM_SYNCHRONIZE',
      ]);
      expect(lines.join('\n')).not.toMatch(/hunter2|eighty|for ever|loud|\bat .*\.js/);
    });

    it.concurrent('on a schema newer than the program: one line with the mend, exit 1, no port', async () => {
      const one = await database();
      await one.client.query(`INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'Tomorrow')`);
      await one.client.query(`COMMENT ON TABLE migrations IS 'compatible_from=9999999999999'`);
      const { code, lines } = await refusal({ ...environment(one.url), LOG_LEVEL: 'silent' });
      expect([code, lines]).toEqual([
        1,
        [expect.stringMatching(/newer than this program.*Tomorrow.*newer Keks/)],
      ]);
    });

    it.concurrent('on a taken port: one line, exit 1', async () => {
      const one = await database();
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const address = taken.address();
      const PORT = String(typeof address === 'object' && address?.port);
      const { code, lines } = await refusal({ ...environment(one.url), PORT, LOG_LEVEL: 'silent' });
      taken.close();
      expect([code, lines]).toEqual([1, [expect.stringContaining(`${PORT} is taken`)]]);
    });
  });

  it.concurrent(
    'a database that is absent at the start: live and not ready, and ready without a restart once it is there',
    async () => {
      const name = `t_${randomBytes(6).toString('hex')}`;
      const url = new URL(inject('postgres'));
      url.pathname = `/${name}`;
      const { PORT: _, ...settings } = environment(url.href);
      const keks = await start(settings);
      await vi.waitFor(async () => expect((await get(keks.url, '/health/live')).status).toBe(200), {
        timeout: 90_000,
      });
      expect((await get(keks.url, '/health/ready')).status).toBe(503);
      const refused = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([
        503,
        expect.stringMatching(/^\d+$/),
      ]);
      expect((await get(keks.url, '/cookies')).status).toBe(401);
      const admin = new Client(connectionOf(inject('postgres')));
      await admin.connect();
      await admin.query(`CREATE DATABASE ${name}`);
      await admin.end();
      await ready(keks);
      expect((await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD })).status).toBe(401);
      expect(await keks.stop()).toBe(0);
    },
  );

  it.concurrent.each([
    [{}, []],
    [{ WORKERS: '2', CORS_ORIGINS: 'https://a.example' }, ['WORKERS=2', 'CORS_ORIGINS']],
  ])(
    'the log: a line at the start that tells what runs, one at the end, and no secret; %o',
    async (more, on) => {
      const empty = await database();
      await empty.client.query(
        `INSERT INTO clients (client_id, name, scope, audience, token_format)
         VALUES ('c-api', 'api', '', '{http://localhost:3000}', 'opaque')`,
      );
      const url = new URL(empty.url);
      url.searchParams.set('password', 'hunter2hunter2');
      const { host, port, database: name } = connectionOf(url.href);
      const { PORT: _, ...settings } = environment(url.href, { ...more, LOG_LEVEL: 'info' });
      const keks = await ready(await start(settings));
      // an API to which every good token would be none
      await vi.waitFor(() => expect(keks.stdout()).toContain('the audience of c-api (api)'), PATIENTLY);
      expect(await keks.stop('SIGINT')).toBe(0);
      const lines = keks.stdout().trimEnd().split('\n');
      const parsed = lines.map((line) => JSON.parse(line) as { msg: string });
      expect(parsed.filter(({ msg }) => ['started', 'stopped'].includes(msg))).toEqual([
        {
          level: 30,
          time: expect.any(Number),
          version: expect.stringMatching(/^\d+\.\d+\.\d+/),
          address: keks.url,
          issuer: settings['ISSUER'],
          database: { host, port, name, link: 'on this machine' },
          on,
          msg: 'started',
        },
        { level: 30, time: expect.any(Number), why: 'SIGINT', msg: 'stopped' },
      ]);
      expect(parsed.at(-1)?.msg).toBe('stopped');
      expect(parsed.filter(({ msg }) => msg.includes('c-api'))).toHaveLength(1);
      for (const secret of ['hunter2', SECRET_KEY]) expect(keks.output()).not.toContain(secret);
    },
  );

  it.concurrent('SIGTERM: not ready at once, but serving until the delay is over; then exit 0', async () => {
    const one = await database();
    await addUser(one);
    const { PORT: _, ...settings } = environment(one.url, { SHUTDOWN_DELAY: '3s' });
    const keks = await ready(await start(settings));
    const token = await issue(keks.url, 'Ann', PASSWORD);
    const ended = keks.stop('SIGTERM');
    await vi.waitFor(async () => expect((await get(keks.url, '/health/ready')).status).toBe(503), PATIENTLY);
    const served = await get(keks.url, '/cookies', token);
    expect([served.status, served.headers.get('connection')]).toEqual([200, 'close']);
    expect(await ended).toBe(0);
    await expect(fetch(`${keks.url}/health/live`)).rejects.toThrow();
  });

  it(`${INSTANCES} instances start at once on an empty database, and are one authority`, async () => {
    const one = await database({ empty: true });
    const { PORT: _, ...settings } = environment(one.url, { LOG_LEVEL: 'warn' });
    const all = await Promise.all(Array.from({ length: INSTANCES }, () => start(settings)));
    // many that compile themselves at once would take the machine from the tests beside them
    for (const { child } of all) if (child.pid !== undefined) setPriority(child.pid, 5);
    await Promise.all(all.map(ready));
    const { rows } = await one.client.query('SELECT name FROM migrations');
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);

    await addUser(one);
    const [token, other] = [
      await issue(all[0]?.url ?? '', 'Ann', PASSWORD),
      await issue(all[1]?.url ?? '', 'Ann', PASSWORD),
    ];
    expect(new Set(await Promise.all(all.map(({ url }) => eat(url, token))))).toEqual(new Set([200]));

    // 50 revokes of one token over all of them: 50 x 200, one of them did it, and it is dead everywhere at once
    const revokes = await Promise.all(
      Array.from({ length: 50 }, (_, n) => revoke(all[n % INSTANCES]?.url ?? '', token)),
    );
    expect(revokes.map(({ status, body }) => [status, body])).toEqual(revokes.map(() => [200, {}]));
    expect(new Set(await Promise.all(all.map(({ url }) => eat(url, token))))).toEqual(new Set([401]));
    expect(new Set(await Promise.all(all.map(({ url }) => eat(url, other))))).toEqual(new Set([200]));
    const { rows: events } = await one.client.query(
      `SELECT count(*)::int AS count FROM audit_events e JOIN access_tokens t ON t.id = e.token_id
        WHERE e.type = 'token.revoked' AND t.digest = $1`,
      [createHash('sha256').update(token).digest()],
    );
    expect(events).toEqual([{ count: 1 }]);

    const codes = await Promise.all(all.map((keks) => keks.stop()));
    expect(new Set(codes)).toEqual(new Set([0]));
    expect(all.map((keks) => keks.stderr()).join('')).toBe('');
  });
});
