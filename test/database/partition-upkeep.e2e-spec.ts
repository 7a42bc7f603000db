import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { commandLine } from '../support/keks-here.js';
import { expiryOf, putAstray, spanOf } from '../support/moving-rows.js';
import { addClient, basic, submit, type TestClient } from '../support/oauth.js';
import { takeAway } from '../support/outage.js';
import { freePort } from '../support/ports.js';
import { launch } from '../support/process.js';
import { environment, get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

/** What each instance takes while it makes or drops a partition: "KEKT". */
const TURN = 0x4b_45_4b_54;

async function partitions({ client }: TestDatabase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE relname !~ 'default|idx|key' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

describe('partitions beside the work of a server', () => {
  let keks: TestApp;
  let client: TestClient;
  const cli = commandLine(() => environment(keks.database.url));

  beforeAll(async () => {
    keks = await startTestApp();
    await keks.addUser('Ann');
    client = await addClient(keks);
  });

  afterAll(() => keks.close());

  async function tokens(count: number): Promise<string[]> {
    const answers = await Promise.all(
      Array.from({ length: count }, () =>
        submit(keks.url, '/oauth/token', { grant_type: 'client_credentials' }, basic(client)),
      ),
    );
    return answers.map(({ body }) => (body as { access_token: string }).access_token);
  }

  const validate = (token: string) => post(keks.url, '/validate', { token });
  const astray = async (token: string): Promise<void> =>
    putAstray(keks.database.client, 'access_tokens', spanOf('access_tokens', expiryOf(token)));

  it('verbs of the command line make none that they do not need', async () => {
    const [token = ''] = await tokens(1);
    const { name } = spanOf('access_tokens', expiryOf(token));
    await astray(token);
    await cli.json('user', 'list');
    await cli.json('audit');
    const { token: issued } = await cli.json<{ token: string }>(...['token', 'issue', '--user', 'Ann']);
    expect(await partitions(keks.database)).not.toContain(name);
    // it lies in the default partition, and is good there
    expect((await validate(issued)).status).toBe(200);
    await cli.json('purge');
    expect(await partitions(keks.database)).toContain(name);
    expect((await validate(issued)).status).toBe(200);
    await astray(token);
    await cli.json('migrate');
    expect(await partitions(keks.database)).toContain(name);
  });

  it('24 revoke while "keks purge" and others move the rows: what was answered 200 is dead', async () => {
    const answered: string[] = [];
    const others: number[] = [];
    for (let round = 0; round < 2; round += 1) {
      const made = await tokens(240);
      await astray(made[0] ?? '');
      const left = [...made];
      const revoking = Array.from({ length: 24 }, async () => {
        for (let token = left.pop(); token !== undefined; token = left.pop()) {
          const { status } = await post(keks.url, '/revoke', { token });
          if (status === 200) answered.push(token);
          else others.push(status);
        }
      });
      const maintenance = keks.app.get(Maintenance);
      await Promise.all([cli.run('purge'), maintenance.run(), cli.run('user', 'list'), ...revoking]);
    }
    expect(others.filter((status) => status !== 503)).toEqual([]);
    expect(answered.length).toBeGreaterThan(240);
    const verdicts = await Promise.all(answered.map(validate));
    expect(verdicts.filter(({ status }) => status !== 401)).toEqual([]);
  });

  it('rows that are too many to move stay, somebody is told, and nobody waits', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const [token = ''] = await tokens(1);
    await astray(token);
    await keks.database.client.query(
      `INSERT INTO access_tokens (digest, expires_at, grant_id, scope, audience, format)
       SELECT sha256(n::text::bytea), to_timestamp($1), gen_random_uuid(), '', '', 'opaque' FROM generate_series(1, 300000) n`,
      [expiryOf(token) / 1_000],
    );
    let over = false;
    const moving = keks.app
      .get(Maintenance)
      .ensurePartitions()
      .finally(() => (over = true));
    const statuses = new Set<number>();
    const validating = async (): Promise<void> => {
      for (;;) {
        if (over) return;
        statuses.add((await validate(token)).status);
      }
    };
    await Promise.all([moving, validating()]);
    const { name } = spanOf('access_tokens', expiryOf(token));
    expect(warn.mock.calls.map(String).join()).toContain(`no partition ${name} yet`);
    warn.mockRestore();
    expect(await partitions(keks.database)).not.toContain(name);
    expect((await validate(token)).status).toBe(200);
    expect([...statuses].filter((status) => status !== 503)).toEqual([200]);
  });
});

describe('GET /health/ready before there are partitions', () => {
  it.each(['1', '2'])('is 503, and 200 when they are there (WORKERS=%s)', async (workers) => {
    const database = await createDatabase({ empty: true });
    const outage = await takeAway(database);
    const port = await freePort();
    const opsPort = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = launch(
      environment(database.url, { PORT: String(port), OPS_PORT: String(opsPort), WORKERS: workers }),
      url,
    );
    try {
      const ready = (): Promise<number> =>
        get(`http://127.0.0.1:${opsPort}`, '/health/ready').then(
          ({ status }) => status,
          () => 0,
        );
      const user = { user: 'Nobody', password: PASSWORD };
      // away: it listens all the same
      await vi.waitFor(async () => expect((await get(url, '/health/live')).status).toBe(200), {
        timeout: 90_000,
        interval: 50,
      });
      await database.client.query('SELECT pg_advisory_lock($1)', [TURN]);
      await outage.end();
      await vi.waitFor(async () => expect((await post(url, '/issue', user)).status).toBe(401), {
        timeout: 90_000,
        interval: 20,
      });
      for (let look = 0; look < 10; look += 1) {
        const seen = await ready();
        // by then, somebody else may have waited for too long
        if ((await partitions(database)).length === 0) expect(seen).toBe(503);
      }
      await database.client.query('SELECT pg_advisory_unlock($1)', [TURN]);
      await vi.waitFor(async () => expect(await ready()).toBe(200), { timeout: 90_000, interval: 20 });
      expect((await partitions(database)).length).toBeGreaterThan(5);
    } finally {
      await server.stop();
      await database.close();
    }
  });
});
