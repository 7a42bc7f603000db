import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connectionUrl,
  startEmbedded,
  type EmbeddedPostgres,
} from '../../src/database/embedded/embedded-postgres.js';
import { connectionOf } from '../../src/database/pools.js';
import { Machine } from '../support/machine.js';
import { Questions, timed, type Timed } from '../support/questions.js';
import { AS_SHIPPED, get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

/** A disk that can be filled without harm to anybody is a small file system in memory, which only root can make. */
const CAN_MOUNT = process.platform === 'linux' && process.getuid?.() === 0 && mountWorks();
const MEBIBYTE = 1_048_576;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a PostgreSQL that has run out of something', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'keks-starved-'));
  let postgres: EmbeddedPostgres;
  let admin: Client;
  let machine: Machine;
  let keks: TestApp;
  let questions: Questions;

  beforeAll(async () => {
    if (CAN_MOUNT) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=288m,mode=0755', 'keks', folder]);
    await startPostgres();
    admin = await connect();
    machine = await Machine.watch();
    keks = await startTestApp(
      { ...AS_SHIPPED, LOG_LEVEL: 'error' },
      { url: connectionUrl(postgres.address), client: admin, close: async () => undefined },
    );
    questions = await Questions.prepare(keks);
  });

  afterAll(async () => {
    await keks.close();
    await admin.end().catch(() => undefined);
    await postgres.stop();
    machine.stop();
    if (CAN_MOUNT) execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function startPostgres(): Promise<void> {
    const settings = { max_connections: '20', min_wal_size: '32MB', max_wal_size: '64MB' };
    postgres = await startEmbedded({ dataDir: join(folder, 'data'), settings });
  }

  async function connect(name = 'test'): Promise<Client> {
    const client = new Client({
      ...connectionOf(connectionUrl(postgres.address)),
      application_name: name,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Until a token that lives is taken again. */
  async function expectRecovery(): Promise<void> {
    await machine.lateness();
    const began = performance.now();
    while ((await questions.eat()).status !== 200) {
      expect(performance.now() - began).toBeLessThan(10_000);
      await sleep(20);
    }
    const took = performance.now() - began;
    expect(took).toBeLessThan(await machine.allowance(2_000));
  }

  function expectWithinASecond(answers: readonly Timed[], most: number): void {
    const slow = answers.filter(({ status, ms }) => status === 503 && ms > most);
    expect(slow.map(({ name, ms }) => [name, Math.round(ms)])).toEqual([]);
    for (const { name, status, headers } of answers)
      if (status === 503) expect(headers.get('retry-after'), name).toBe('1');
  }

  it('of connections: 503 within a second, alive meanwhile, and all is well when there are some again', async () => {
    const asks = Object.entries(await questions.all());
    const askAll = () => Promise.all(asks.map(([name, ask]) => timed(name, ask)));
    const others = await takeAllConnections();
    await machine.lateness();
    const [answers, live] = await Promise.all([askAll(), timed('live', () => get(keks.url, '/health/live'))]);
    expectWithinASecond(answers, await machine.allowance(1_000));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(live.status).toBe(200);
    await Promise.all(others.map((one) => one.end()));
    await expectRecovery();
    const after = await askAll();
    expect(after.filter(({ status }) => status >= 300).map(({ name, status }) => [name, status])).toEqual([]);
  });

  /** First those that are free, then those that the program had. */
  async function takeAllConnections(): Promise<Client[]> {
    const taken: Client[] = [];
    const take = async (): Promise<void> => {
      for (;;) {
        try {
          taken.push(await connect('other'));
        } catch (error) {
          expect((error as { code?: string }).code).toBe('53300');
          return;
        }
      }
    };
    await take();
    await admin.query(
      `SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name = 'keks'`,
    );
    await take();
    return taken;
  }

  it.skipIf(!CAN_MOUNT)(
    'of disk space: 200 or 503 and nothing else, and what was acknowledged is there when there is room again',
    async () => {
      const ended = { early: false };
      void postgres.exited.then(() => (ended.early = true));
      fillDisk();
      const [alive, dead]: [string[], string[]] = [[], []];
      const answers: Timed[] = [];
      await machine.lateness();
      const began = performance.now();
      while (
        performance.now() - began < 10_000 &&
        answers.filter(({ status }) => status === 503).length < 20
      ) {
        const [issued, eaten] = await Promise.all([
          timed('issue', () => post(keks.url, '/issue', { user: 'Ann', password: PASSWORD })),
          timed('eat', questions.eat),
        ]);
        const token = (issued.body as { token?: string }).token;
        if (token !== undefined) alive.push(token);
        answers.push(issued, eaten);
        if (alive.length % 3 !== 2) continue;
        const revoked = await timed('revoke', () => post(keks.url, '/revoke', { token: alive.at(-1) }));
        // what was answered 503 may have happened or not
        const last = alive.pop() ?? '';
        if (revoked.status === 200) dead.push(last);
        answers.push(revoked);
        expect((await get(keks.url, '/health/live')).status).toBe(200);
      }
      const most = await machine.allowance(1_000);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
      expectWithinASecond(answers, most);

      rmSync(join(folder, 'ballast'));
      // a server that could not even write its log of changes has stopped: its keeper starts it again
      if (ended.early) await startPostgres();
      await expectRecovery();
      expect((await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD })).status).toBe(200);
      for (const token of alive) expect((await get(keks.url, '/cookies', token)).status).toBe(200);
      for (const token of dead) expect((await get(keks.url, '/cookies', token)).status).toBe(401);
    },
  );

  function fillDisk(): void {
    const file = openSync(join(folder, 'ballast'), 'w');
    for (const size of [MEBIBYTE, 4_096]) {
      const bytes = Buffer.alloc(size, 1);
      try {
        for (let written = 0; written < 1_024 * MEBIBYTE; written += size) writeSync(file, bytes);
      } catch (error) {
        expect((error as { code?: string }).code).toBe('ENOSPC');
      }
    }
    closeSync(file);
  }
});

/** Containers run as root and may yet not mount anything. */
function mountWorks(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'keks-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'keks', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
