import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Database } from '../src/database/database.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { startProcess, type ServerProcess } from './support/process.js';
import { environment, get, startTestApp } from './support/test-app.js';

/** `CONNECTIONS=10000 npx vitest run test/crowds` */
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 1_500);
const LIMITS = process.platform === 'linux' ? readFileSync('/proc/self/limits', 'utf8') : '';
/** What this process may open; its children inherit it. Elsewhere than on Linux nobody says. */
const MOST = Number(/^Max open files\s+(\d+)/m.exec(LIMITS)?.[1] ?? 0);

describe('many who do not hurry', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let token: string;

  beforeAll(async () => {
    database = await createDatabase();
    const keks = await startTestApp({}, { ...database, close: async () => undefined });
    await keks.addUser('Ann');
    token = await keks.login('Ann');
    await keks.close();
    server = await startProcess(environment(database.url, { LOG_LEVEL: 'warn' }));
  });

  afterAll(async () => {
    await server.stop();
    await database.close();
  });

  const mebibytes = (): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]) / 1_024;

  /** Nothing, half a header, half a body: in turn. */
  const WORDS = [
    '',
    'GET /cookies HTTP/1.1\r\nHost: a\r\nX-Slow: ',
    'POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"token":',
  ];

  it.skipIf(MOST < CONNECTIONS + 500)(
    `${CONNECTIONS} connections that say nothing, or not all: others are served, memory is bounded, all are closed within 15 s`,
    async () => {
      const { hostname, port } = new URL(server.url);
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
      const answers = await Promise.all(Array.from({ length: 20 }, () => get(server.url, '/cookies', token)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const during = mebibytes();
      await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 30_000, interval: 50 });
      const closed = performance.now();
      process.stdout.write(
        `  ${CONNECTIONS} connections in ${(last - began).toFixed()} ms, ${before.toFixed()} MiB before, ` +
          `${during.toFixed()} MiB with them, all closed ${((closed - last) / 1_000).toFixed(1)} s after the last\n`,
      );
      expect(closed - last).toBeLessThan(15_000);
      // 10,000 of them may cost what the whole program costs
      expect(during - before).toBeLessThan(60 + CONNECTIONS / 50);
      expect((await get(server.url, '/cookies', token)).status).toBe(200);
    },
  );
});

describe('1,000 who go away before they are answered', () => {
  it('leave no connection to the database behind', async () => {
    const keks = await startTestApp({ LOG_LEVEL: 'error' });
    await keks.addUser('Ann');
    const token = await keks.login('Ann');
    const { hostname, port } = new URL(keks.url);
    const body = JSON.stringify({ token: 'kat_nothing' });
    const requests = [
      `GET /cookies HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      `GET /sessions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      `POST /revoke HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      `POST /issue HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"user":`,
    ];
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 50 }, (_, nth) => {
          const socket = connect(Number(port), hostname);
          socket.on('error', () => undefined);
          socket.on('connect', () =>
            socket.write(requests[nth % requests.length] ?? '', () => socket.destroy()),
          );
          return new Promise((resolve) => socket.once('close', resolve));
        }),
      );
    const pools = () => keks.app.get(Database).pools();
    await vi.waitFor(
      () => {
        const { main, hot } = pools();
        expect([main.total - main.idle, main.waiting]).toEqual([0, 0]);
        expect([hot.total - hot.idle, hot.waiting]).toEqual([0, 0]);
      },
      { timeout: 10_000 },
    );
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    expect((await get(keks.url, '/sessions', token)).status).toBe(200);
    expect(keks.log).toEqual([]);
    await keks.close();
  });
});
