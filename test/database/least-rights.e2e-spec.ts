import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startTestApp, get, PASSWORD, post, request, type TestApp } from '../support/test-app.js';

/** The grants, as the operator finds them. */
const GRANTS = /```sql\n(GRANT[^`]+)```/.exec(readFileSync('docs/operating.md', 'utf8'))?.[1] ?? '';

describe('a server whose role owns nothing (docs/operating.md)', () => {
  const role = `keks_server_${randomBytes(4).toString('hex')}`;
  let database: TestDatabase;
  let keks: TestApp;

  beforeAll(async () => {
    database = await createDatabase();
    await database.client.query(`CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE`);
    await database.client.query(GRANTS.replaceAll('keks_server', role));
    const url = new URL(database.url);
    url.searchParams.set('user', role);
    keks = await startTestApp({}, { ...database, url: url.href });
    await keks.addUser('Ann');
  });

  afterAll(async () => {
    await keks.close();
  });

  it('really has no more rights than that', async () => {
    const { rows } = await database.client.query<{ rolsuper: boolean; owns: number }>(
      `SELECT rolsuper, (SELECT count(*)::int FROM pg_class WHERE relowner = r.oid) AS owns FROM pg_roles r WHERE rolname = $1`,
      [role],
    );
    expect(rows).toEqual([{ rolsuper: false, owns: 0 }]);
    const { rows: sessions } = await database.client.query<{ usename: string }>(
      `SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect(sessions).toEqual([{ usename: role }]);
  });

  it('tells the whole story', async () => {
    const token = await keks.login('Ann', 'cookies:eat offline_access');
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
    expect((await get(keks.url, '/cookies', token)).status).toBe(401);
  });

  it('issues JWTs, makes keys and refreshes', async () => {
    const issued = await post(keks.url, '/issue', {
      user: 'Ann',
      password: 'seven brown biscuits under a blue moon',
      format: 'jwt',
      scope: 'offline_access',
    });
    expect(issued.status).toBe(200);
    const { token, refresh_token: refresh } = issued.body as { token: string; refresh_token: string };
    const key = await post(
      keks.url,
      '/keys',
      { label: 'mine', password: PASSWORD },
      { authorization: `Bearer ${token}` },
    );
    expect(key.status).toBe(201);
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refresh });
    expect((await request(keks.url, '/oauth/token', { method: 'POST', body: form })).status).toBe(200);
  });

  it('makes partitions and drops them', async () => {
    const maintenance = keks.app.get(Maintenance);
    keks.clock.advance(20 * 86_400);
    await maintenance.ensurePartitions();
    const { partitions } = await maintenance.purge();
    expect(partitions.length).toBeGreaterThanOrEqual(3);
  });
});
