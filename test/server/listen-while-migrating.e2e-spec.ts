import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { connectionOf } from '../../src/database/pools.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { migrateWith } from '../support/migrate-with.js';
import { freePort } from '../support/ports.js';
import { launch, type ServerProcess } from '../support/process.js';
import { environment, PATIENTLY } from '../support/test-app.js';

describe('a start that has to migrate', () => {
  let database: TestDatabase;
  let vacuum: Client;
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createDatabase({ empty: true });
    await migrateWith(database, migrations.slice(0, 1));
    // another instance that migrates
    await database.client.query(`SELECT pg_advisory_lock(${0x4b_45_4b_53})`);
    vacuum = new Client({ ...connectionOf(database.url), application_name: 'nightly vacuum' });
    await vacuum.connect();
    await vacuum.query('BEGIN; LOCK TABLE access_tokens_default IN SHARE UPDATE EXCLUSIVE MODE');
    const port = await freePort();
    server = launch({ ...environment(database.url), PORT: String(port) }, `http://127.0.0.1:${port}`);
  });
  afterAll(async () => {
    await server.stop();
    await vacuum.end();
    await database.close();
  });

  const answers = (path: string): Promise<number> =>
    fetch(server.url + path).then(
      ({ status }) => status,
      () => 0,
    );

  it('is alive and not ready while another instance migrates, and says that it waits for it', async () => {
    await expect.poll(() => answers('/health/live'), PATIENTLY).toBe(200);
    expect(await answers('/health/ready')).toBe(503);
    expect(await answers('/cookies')).toBe(401);
    expect(server.output()).toContain('waiting for whoever else migrates');
  });

  it('says which lock it waits for, and who has it', async () => {
    await database.client.query(`SELECT pg_advisory_unlock(${0x4b_45_4b_53})`);
    await expect
      .poll(() => server.output(), { ...PATIENTLY, timeout: 60_000 })
      .toMatch(/waits for a lock of access_tokens\w*, which others hold \(\d+, nightly vacuum\)/);
    expect(server.output()).toContain('migrating: ');
    expect(await answers('/health/live')).toBe(200);
    expect(await answers('/health/ready')).toBe(503);
  });

  it('is ready when it is over', async () => {
    await vacuum.query('ROLLBACK');
    await expect.poll(() => answers('/health/ready'), PATIENTLY).toBe(200);
    expect(server.output()).toContain('migrated: ');
  });
});
