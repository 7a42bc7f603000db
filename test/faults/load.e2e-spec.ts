import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Balancer } from '../support/balancer.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { Machine } from '../support/machine.js';
import { addClient, type TestClient } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { launch, type ServerProcess } from '../support/process.js';
import { SteadyLoad, type LoadReport } from '../support/steady-load.js';
import { environment, get, startTestApp } from '../support/test-app.js';

/** `CONNECTIONS=10000 npx vitest run test/faults/load` */
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 1_000);
const LIMITS = process.platform === 'linux' ? readFileSync('/proc/self/limits', 'utf8') : '';
/** What this process may open; its children inherit it. Elsewhere than on Linux nobody says. */
const MOST = Number(/^Max open files\s+(\d+)/m.exec(LIMITS)?.[1] ?? 0);

/** `RESTARTS=20 npx vitest run test/faults/load` */
const RESTARTS = Number(process.env.RESTARTS ?? 2);
const say = (line: string): void => void process.stdout.write(`  ${line}\n`);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('two servers under load', { timeout: 120_000 + RESTARTS * 20_000 }, () => {
  let database: TestDatabase;
  let client: TestClient;
  let token: string;
  let ports: number[];
  let servers: ServerProcess[];
  /** For the connections: it waits for most of its time, and the other two are restarted meanwhile. */
  let crowded: ServerProcess;
  let machine: Machine;
  const running = new Set<ServerProcess>();

  beforeAll(async () => {
    database = await createDatabase();
    machine = await Machine.watch();
    const keks = await startTestApp({}, { ...database, close: async () => undefined });
    await keks.addUser('Ann');
    client = await addClient(keks);
    token = await keks.login('Ann');
    await keks.close();
    ports = [await freePort(), await freePort()];
    [crowded, ...servers] = await Promise.all([start(await freePort()), ...ports.map(start)]);
  });

  afterAll(async () => {
    machine.stop();
    await Promise.all([...running].map((one) => one.stop('SIGKILL')));
    await database.close();
  });

  async function start(port: number): Promise<ServerProcess> {
    const settings = { PORT: String(port), SHUTDOWN_DELAY: '2s', LOG_LEVEL: 'warn' };
    const server = launch(environment(database.url, settings), `http://127.0.0.1:${port}`);
    running.add(server);
    server.child.once('exit', () => running.delete(server));
    await untilReady(server.url);
    return server;
  }

  async function untilReady(url: string): Promise<void> {
    const ready = async () => expect((await get(url, '/health/ready')).status).toBe(200);
    await vi.waitFor(ready, { timeout: 60_000, interval: 50 });
  }

  async function expectNothingLost(url: string, report: LoadReport): Promise<void> {
    const status = async (one: string) => (await get(url, '/cookies', one)).status;
    expect(new Set(await Promise.all(report.alive.slice(-50).map(status)))).toEqual(new Set([200]));
    expect(new Set(await Promise.all(report.dead.slice(-50).map(status)))).toEqual(new Set([401]));
  }

  const mebibytes = (): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${crowded.child.pid}/status`, 'utf8'))?.[1]) / 1_024;

  /** Nothing, half a header, half a body: in turn. */
  const WORDS = [
    '',
    'GET /cookies HTTP/1.1\r\nHost: a\r\nX-Slow: ',
    'POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"token":',
  ];

  it.skipIf(MOST < CONNECTIONS + 500).concurrent(
    `${CONNECTIONS} connections that say nothing, or not all: others are served, memory is bounded, all are closed within 15 s`,
    async () => {
      const { hostname, port } = new URL(crowded.url);
      const before = mebibytes();
      const open = new Set<Socket>();
      const began = performance.now();
      for (let nth = 0; nth < CONNECTIONS; nth += 1) {
        const socket = connect(Number(port), hostname);
        open.add(socket);
        socket.on('error', () => undefined).on('close', () => open.delete(socket));
        socket.on('connect', () => socket.write(WORDS[nth % WORDS.length] ?? ''));
        socket.resume();
        // a backlog is 511 long
        if (nth % 200 === 199) await new Promise((resolve) => socket.once('connect', resolve));
      }
      const last = performance.now();
      expect(open.size).toBe(CONNECTIONS);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => get(crowded.url, '/cookies', token)),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const during = mebibytes();
      await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 30_000, interval: 50 });
      const closed = performance.now();
      say(
        `${CONNECTIONS} connections in ${(last - began).toFixed()} ms, ${before.toFixed()} MiB before, ` +
          `${during.toFixed()} MiB with them, all closed ${((closed - last) / 1_000).toFixed(1)} s after the last`,
      );
      expect(closed - last).toBeLessThan(15_000 + 5 * (await machine.lateness()));
      // 10,000 of them may cost what the whole program costs
      expect(during - before).toBeLessThan(60 + CONNECTIONS / 50);
      expect((await get(crowded.url, '/cookies', token)).status).toBe(200);
    },
  );

  it.concurrent(`${RESTARTS} rolling restarts of two instances behind a balancer lose nothing`, async () => {
    const balancer = await Balancer.before(servers.map(({ url }) => url));
    const load = new SteadyLoad(balancer.url, token, client, RESTARTS > 2 ? 100 : 50);
    for (let nth = 0; nth < RESTARTS; nth += 1) {
      const at = nth % 2;
      expect(await servers[at]!.stop('SIGTERM')).toBe(0);
      servers[at] = await start(ports[at]!);
      // the other one goes only when the balancer sends to this one again
      await vi.waitFor(() => expect(balancer.isReady(servers[at]!.url)).toBe(true), { timeout: 30_000 });
    }
    const report = await load.stop();
    say(`${RESTARTS} restarts, ${report.requests} requests, unanswered: ${report.failures.length}`);
    expect(report.failures.slice(0, 5)).toEqual([]);
    expect(report.requests).toBeGreaterThan(RESTARTS * 50);
    await expectNothingLost(balancer.url, report);
    await balancer.close();
  });

  it('SIGTERM under 500 requests a second, or what the machine can: not ready at once, no request fails, exit 0', async () => {
    const [server, other] = [servers[0]!, servers[1]!];
    const load = new SteadyLoad(server.url, token, client, 500);
    await sleep(1_500);
    const told = performance.now();
    const ended = server.stop('SIGTERM').then((code) => ({ code, ms: performance.now() - told }));
    // as a balancer does: it looks, sends no more, and lets what it has sent come back
    await vi.waitFor(async () => expect((await get(server.url, '/health/ready')).status).toBe(503), {
      timeout: 60_000,
      interval: 10,
    });
    const notReady = performance.now() - told;
    await sleep(400);
    const report = await load.stop();
    const { code, ms } = await ended;
    say(
      `${report.requests} requests, not ready after ${notReady.toFixed()} ms, over after ${ms.toFixed()} ms`,
    );
    expect(report.failures.slice(0, 5)).toEqual([]);
    expect(report.requests).toBeGreaterThan(100);
    expect([code, ms < 25_000]).toEqual([0, true]);
    expect(notReady).toBeLessThan(await machine.allowance(1_000));
    await expectNothingLost(other.url, report);
  });
});
