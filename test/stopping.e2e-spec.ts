import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Balancer } from './support/balancer.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { addClient, type TestClient } from './support/oauth.js';
import { freePort, launch, type ServerProcess } from './support/process.js';
import { SteadyLoad, type LoadReport } from './support/steady-load.js';
import { environment, get, startTestApp } from './support/test-app.js';

/** `RESTARTS=20 npx vitest run test/stopping` */
const RESTARTS = Number(process.env.RESTARTS ?? 2);
const say = (line: string): void => void process.stdout.write(`  ${line}\n`);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('SIGTERM', { timeout: 60_000 + RESTARTS * 20_000 }, () => {
  let database: TestDatabase;
  let client: TestClient;
  let token: string;
  let ports: number[];
  let servers: ServerProcess[];
  const running = new Set<ServerProcess>();

  beforeAll(async () => {
    database = await createDatabase();
    const keks = await startTestApp({}, { ...database, close: async () => undefined });
    await keks.addUser('Ann');
    client = await addClient(keks);
    token = await keks.login('Ann');
    await keks.close();
    ports = [await freePort(), await freePort()];
    servers = await Promise.all(ports.map(start));
  });

  afterAll(async () => {
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

  it(`${RESTARTS} rolling restarts of two instances behind a balancer lose nothing`, async () => {
    const balancer = await Balancer.before(servers.map(({ url }) => url));
    const load = new SteadyLoad(balancer.url, token, client, 100);
    for (let nth = 0; nth < RESTARTS; nth += 1) {
      const at = nth % 2;
      expect(await servers[at]!.stop('SIGTERM')).toBe(0);
      servers[at] = await start(ports[at]!);
      // the other one goes only when the balancer sends to this one again
      await vi.waitFor(() => expect(balancer.isReady(servers[at]!.url)).toBe(true), { timeout: 10_000 });
    }
    const report = await load.stop();
    say(`${RESTARTS} restarts, ${report.requests} requests, ${report.failures.length} failed`);
    expect(report.failures.slice(0, 5)).toEqual([]);
    expect(report.requests).toBeGreaterThan(RESTARTS * 100);
    await expectNothingLost(balancer.url, report);
    await balancer.close();
  });

  it('under 500 requests a second: not ready at once, no request fails, exit 0', async () => {
    const [server, other] = [servers[0]!, servers[1]!];
    const load = new SteadyLoad(server.url, token, client, 500);
    await sleep(1_500);
    const told = performance.now();
    const ended = server.stop('SIGTERM').then((code) => ({ code, ms: performance.now() - told }));
    // as a balancer does: it looks, sends no more, and lets what it has sent come back
    await vi.waitFor(async () => expect((await get(server.url, '/health/ready')).status).toBe(503), {
      timeout: 5_000,
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
    expect(report.requests).toBeGreaterThan(700);
    expect([code, ms < 25_000, notReady < 1_000]).toEqual([0, true, true]);
    await expectNothingLost(other.url, report);
  });
});
