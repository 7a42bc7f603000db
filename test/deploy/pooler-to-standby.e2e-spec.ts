import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from 'pg';
import { connectionOf } from '../../src/database/pools.js';
import { get, PATIENTLY, post, startTestApp, type TestApp } from '../support/test-app.js';
import { PGBOUNCER, startPgBouncer, type PgBouncer } from './support/pgbouncer.js';
import { startReplication, type Replication } from './support/replication.js';

/** As after a failover that went wrong, or a pooler that was configured for reading. */
describe.skipIf(!PGBOUNCER)('a PgBouncer that is led to a standby which lags behind', () => {
  let servers: Replication;
  let pgBouncer: PgBouncer;
  let app: TestApp;
  let revoked: string[];
  let alive: string;

  beforeAll(async () => {
    servers = await startReplication({ synchronous: false });
    pgBouncer = await startPgBouncer(servers.primary, { pool_mode: 'transaction', server_fast_close: 1 });
    const client = new Client(connectionOf(servers.primary));
    client.on('error', () => undefined);
    await client.connect();
    app = await startTestApp(
      {},
      { url: pgBouncer.through(servers.primary), client, close: () => client.end() },
    );
    await app.addUser('Ann');
    revoked = await Promise.all(Array.from({ length: 8 }, () => app.login('Ann')));
    alive = await app.login('Ann');
    for (const token of revoked) expect((await get(app.url, '/cookies', token)).status).toBe(200);
    await servers.pause();
    for (const token of revoked) expect((await post(app.url, '/revoke', { token })).status).toBe(200);
    await pgBouncer.reload({ host: servers.standby });
    await vi.waitFor(async () => expect((await get(app.url, '/health/ready')).status).toBe(503), PATIENTLY);
  });
  afterAll(async () => {
    await app?.close();
    await pgBouncer?.stop();
    await servers?.stop();
  });

  it('accepts no revoked token, and refuses no good one: 503', async () => {
    for (const token of [...revoked, alive]) expect((await get(app.url, '/cookies', token)).status).toBe(503);
  });

  it('shows no list that may be old, and makes nothing', async () => {
    expect((await get(app.url, '/sessions', alive)).status).toBe(503);
    expect((await post(app.url, '/revoke', { token: alive })).status).toBe(503);
    await expect(app.login('Ann')).rejects.toThrow('503');
  });

  it('answers again as soon as it leads to the primary', async () => {
    await pgBouncer.reload({ host: servers.primary });
    await expect.poll(async () => (await get(app.url, '/health/ready')).status).toBe(200);
    expect((await get(app.url, '/cookies', alive)).status).toBe(200);
    for (const token of revoked) expect((await get(app.url, '/cookies', token)).status).toBe(401);
  });
});
