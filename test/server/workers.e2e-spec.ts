import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request as requestOver } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEMO_USER } from '../../src/auth/users/demo-identity.js';
import { checkConnections } from '../../src/cli/verbs/doctor/database-checks.js';
import { checkWorkers } from '../../src/cli/verbs/doctor/machine-checks.js';
import { isAlive, readPidFile } from '../../src/database/embedded/postmaster-identity.js';
import { selfSigned } from '../support/certificate.js';
import { createDatabase } from '../support/database.js';
import { parseExposition, type Family } from '../support/exposition.js';
import { freePort } from '../support/ports.js';
import { launch, type ServerProcess } from '../support/process.js';
import { environment, FAR_AWAY, get, PATIENTLY } from '../support/test-app.js';

interface Answer {
  readonly status: number;
  readonly connection: string | undefined;
  readonly body: string;
}

/** Each on a connection of its own, which the primary gives to the workers in turn. */
async function ask(port: number, path: string, token?: string, body?: object): Promise<Answer> {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const method = body === undefined ? 'GET' : 'POST';
  const where = { port, host: '127.0.0.1', path, method, headers, agent: false, rejectUnauthorized: false };
  const question = requestOver(where).end(body && JSON.stringify(body));
  const [answer] = (await once(question, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, connection: answer.headers.connection, body: text };
}

async function fingerprint(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const found = socket.getPeerCertificate().fingerprint256;
  socket.destroy();
  return found;
}

/** The processes that this one has forked. */
function workersOf({ child }: ServerProcess): number[] {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
  return children
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-main'));
}

const launched: ServerProcess[] = [];

function start(settings: Record<string, string>): ServerProcess {
  const keks = launch({
    WORKERS: '2',
    NODE_ENV: 'test',
    BCRYPT_COST: '4',
    DATABASE_TIMEOUT: FAR_AWAY,
    ...settings,
  });
  launched.push(keks);
  return keks;
}

/** Until it has said that it serves, which it does when all workers do. */
async function serving(keks: ServerProcess): Promise<void> {
  const said = (): boolean => keks.child.exitCode !== null || keks.output().includes('Swagger');
  await vi.waitFor(() => expect(said()).toBe(true), { timeout: 60_000, interval: 20 });
  expect(keks.child.exitCode, keks.output()).toBeNull();
}

afterAll(async () => {
  for (const keks of launched) await keks.stop('SIGKILL');
});

// who has forked whom is read from /proc
describe.runIf(process.platform === 'linux')(
  'WORKERS=2 with a database of its own',
  { timeout: 90_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'keks-workers-'));
    const cluster = join(folder, 'data', 'postgres');
    const settings: Record<string, string> = {
      DATA_DIR: join(folder, 'data'),
      TLS_CERT: join(folder, 'cert.pem'),
      TLS_KEY: join(folder, 'key.pem'),
      LOG_LEVEL: 'debug',
      SHUTDOWN_DELAY: '1s',
    };
    let keks: ServerProcess;
    let port: number;
    let token: string;

    const cookies = (): Promise<Answer> => ask(port, '/cookies', token);

    async function writePair(): Promise<void> {
      const { cert, key } = await selfSigned();
      writeFileSync(settings['TLS_CERT'] ?? '', cert);
      writeFileSync(settings['TLS_KEY'] ?? '', key, { mode: 0o600 });
    }

    async function metrics(): Promise<Map<string, Family>> {
      return parseExposition((await ask(port, '/metrics')).body);
    }

    async function sum(name: string, labels: Record<string, string> = {}): Promise<number> {
      const family = (await metrics()).get(name.replace(/_count$/, '')) ?? (await metrics()).get(name);
      const found = family?.samples.filter(
        (one) =>
          one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
      );
      return (found ?? []).reduce((total, { value }) => total + value, 0);
    }

    const eaten = (): Promise<number> =>
      sum('keks_http_requests_total', { route: '/cookies', method: 'GET', status: '2xx' });

    /** Everything that this service consists of. */
    async function processes(): Promise<number[]> {
      const postmaster = (await readPidFile(cluster))?.pid ?? 0;
      const all = [keks.child.pid ?? 0, ...workersOf(keks), postmaster];
      expect(all.map(isAlive)).toEqual([true, true, true, true]);
      return all;
    }

    beforeAll(async () => {
      await writePair();
      port = await freePort();
      settings['PORT'] = String(port);
      keks = start(settings);
      await serving(keks);
    }, 90_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('tells the story once, and every worker plays it', async () => {
      expect(keks.output().match(/Swagger/g)).toHaveLength(1);
      const { user, password } = DEMO_USER;
      const issued = await ask(port, '/issue', undefined, { user, password });
      token = (JSON.parse(issued.body) as { token: string }).token;
      for (let n = 0; n < 6; n += 1) expect((await cookies()).status).toBe(200);
      const other = (
        JSON.parse((await ask(port, '/issue', undefined, { user, password })).body) as { token: string }
      ).token;
      expect((await ask(port, '/revoke', undefined, { token: other })).status).toBe(200);
      for (let n = 0; n < 6; n += 1) expect((await ask(port, '/cookies', other)).status).toBe(401);
      const lines = keks
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { worker?: number; route?: string; status?: number });
      for (const status of [200, 401]) {
        const who = lines.filter((one) => one.route === '/cookies' && one.status === status);
        expect(new Set(who.map(({ worker }) => worker)).size, String(status)).toBe(2);
      }
    });

    it('adds up the metrics of both, whichever is asked', async () => {
      expect(await sum('keks_workers')).toBe(2);
      const before = await eaten();
      const taken = await sum('keks_http_request_duration_seconds_count', { route: '/cookies' });
      await Promise.all(Array.from({ length: 20 }, cookies));
      for (let n = 0; n < 4; n += 1) expect(await eaten()).toBe(before + 20);
      expect(await sum('keks_http_request_duration_seconds_count', { route: '/cookies' })).toBe(taken + 20);
      const found = await metrics();
      expect(found.get('keks_build_info')?.samples).toMatchObject([{ value: 1 }]);
      expect(found.get('process_start_time_seconds')?.samples).toHaveLength(1);
    });

    it('SIGHUP renews the certificate in both; a bad one is told of once', async () => {
      const old = await fingerprint(port);
      await writePair();
      keks.child.kill('SIGHUP');
      await vi.waitFor(async () => {
        const found = [await fingerprint(port), await fingerprint(port), await fingerprint(port)];
        expect(found).not.toContain(old);
        expect(new Set(found).size).toBe(1);
      }, PATIENTLY);
      const renewed = await fingerprint(port);
      writeFileSync(settings['TLS_CERT'] ?? '', 'nonsense');
      keks.child.kill('SIGHUP');
      await vi.waitFor(() => expect(keks.output()).toContain('TLS_CERT and TLS_KEY'), PATIENTLY);
      expect([await fingerprint(port), await fingerprint(port)]).toEqual([renewed, renewed]);
      expect(keks.output().match(/TLS_CERT and TLS_KEY/g)).toHaveLength(1);
      await writePair();
    });

    it('kill -9 of a worker: the other one serves on, the place is filled, and no count is lost', async () => {
      const before = await eaten();
      const [first = 0, second = 0] = workersOf(keks);
      // what it was given and did not take must not wait for ever
      process.kill(first, 'SIGSTOP');
      let answered = 0;
      const given = Promise.allSettled(
        Array.from({ length: 6 }, async () => {
          if ((await cookies()).status === 200) answered += 1;
        }),
      );
      await vi.waitFor(() => expect(answered).toBeGreaterThanOrEqual(5), { timeout: 90_000, interval: 5 });
      process.kill(first, 'SIGKILL');
      await given;
      await vi.waitFor(() => expect(isAlive(first)).toBe(false), PATIENTLY);
      const served = before + answered;
      for (let n = 0; n < 10; n += 1) expect((await cookies()).status).toBe(200);
      expect(await eaten()).toBe(served + 10);
      await vi.waitFor(async () => expect(await sum('keks_workers')).toBe(2), { timeout: 90_000 });
      expect(workersOf(keks)).toContain(second);
      expect(keks.output()).toContain('a worker has ended, another one takes its place');
      for (let n = 0; n < 4; n += 1) expect((await cookies()).status).toBe(200);
      expect(await eaten()).toBe(served + 14);
    });

    it('SIGTERM under load: not ready at once, every request is answered, exit 0, and nothing is left', async () => {
      const all = await processes();
      const seen: number[] = [];
      let stopping = 0;
      const balanced = async (): Promise<void> => {
        for (;;) {
          const { status } = await cookies();
          seen.push(status);
          // as a balancer does: no new ones for whom is not ready
          if (stopping > 0 && (await ask(port, '/health/ready')).status === 503) return;
        }
      };
      const load = Array.from({ length: 8 }, balanced);
      await vi.waitFor(() => expect(seen.length).toBeGreaterThan(100), { timeout: 90_000, interval: 5 });
      const ended = keks.stop('SIGTERM');
      stopping = seen.length;
      await Promise.all(load);
      expect(new Set(seen)).toEqual(new Set([200]));
      expect(await ended).toBe(0);
      expect(all.filter(isAlive)).toEqual([]);
    });

    it('kill -9 of the primary: what is in flight is answered, and then nothing is left', async () => {
      const opsPort = await freePort();
      keks = start({ ...settings, OPS_PORT: String(opsPort) });
      const ops = `http://127.0.0.1:${opsPort}`;
      await serving(keks);
      expect(await get(ops, '/health/ready')).toMatchObject({ status: 200, body: { status: 'ok' } });
      expect((await cookies()).status).toBe(200);
      expect((await ask(port, '/metrics')).status).toBe(404);
      expect((await get(ops, '/docs-json')).body).toHaveProperty(['paths', '/cookies']);
      expect((await ask(port, '/docs-json')).status).toBe(404);
      expect(String((await get(ops, '/metrics')).body)).toMatch(
        /^keks_http_requests_total\{.*route="\/cookies",status="2xx"\} 1$/m,
      );
      const all = await processes();
      const body = JSON.stringify({ token });
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.write(
        `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
      );
      await vi.waitFor(() => expect(socket.bytesWritten).toBeGreaterThan(0), PATIENTLY);
      expect((await cookies()).status).toBe(200);
      keks.child.kill('SIGKILL');
      await once(keks.child, 'exit');
      socket.write(body.slice(9));
      await once(socket, 'close');
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"active":true/i);
      await vi.waitFor(() => expect(all.filter(isAlive)).toEqual([]), { timeout: 60_000, interval: 20 });
    });
  },
);

describe.concurrent('WORKERS=2, a start that cannot succeed', { timeout: 60_000 }, () => {
  it('on a taken port: one line, exit 1', async () => {
    const database = await createDatabase();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const keks = start(environment(database.url, { WORKERS: '2', PORT: String(port), LOG_LEVEL: 'silent' }));
    const code = await keks.ended;
    taken.close();
    await database.close();
    expect([code, keks.output()]).toEqual([
      1,
      `127.0.0.1:${port} is taken: stop what listens there, or choose another PORT.\n`,
    ]);
  });

  it('where workers only die: it tries again, and then gives up, exit 1', async () => {
    const dying = `import cluster from 'node:cluster'; if (cluster.isWorker) process.exit(7)`;
    const keks = start({
      ...environment('postgresql://nobody@127.0.0.1:1/keks', { LOG_LEVEL: 'error' }),
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(dying)}`,
    });
    expect(await keks.ended).toBe(1);
    const lines = keks.output().trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/^The workers keep ending/);
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines.slice(0, -1)) expect(JSON.parse(line)).toMatchObject({ end: 7 });
  });
});

describe('keks doctor', () => {
  it('warns of more workers than CPUs', () => {
    expect(checkWorkers(1, 2)).toEqual([]);
    expect(checkWorkers(2, 2)).toMatchObject([{ status: 'ok' }]);
    expect(checkWorkers(3, 2)).toMatchObject([{ status: 'warn', message: 'WORKERS=3 on 2 CPUs' }]);
  });

  it('warns of more connections than PostgreSQL gives, where it is not our own', () => {
    const check = (WORKERS: number, DATABASE_URL?: string) =>
      checkConnections({ connections: 97 }, { WORKERS, DATABASE_URL });
    expect(check(64)).toEqual([]);
    expect(check(6, 'postgresql://')).toMatchObject([{ status: 'ok' }]);
    expect(check(7, 'postgresql://')).toMatchObject([
      { status: 'warn', message: expect.stringContaining('105 of 97') },
    ]);
  });
});
