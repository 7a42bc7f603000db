import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestoredBackup } from '../../src/auth/grants/restored-backup.js';
import { table } from '../../src/cli/answer.js';
import { untilWaiting } from '../support/locks.js';
import { addClient } from '../support/oauth.js';
import { get, PATIENTLY, request, startTestApp, type TestApp } from '../support/test-app.js';

/** `GRANTS=1000000` tries it at the size of a large installation. */
const GRANTS = Number(process.env.GRANTS ?? 2_500);

describe('keks revoke-all --before', () => {
  let keks: TestApp;
  let client: { client_id: string; client_secret: string };

  const issueToClient = async (): Promise<string> => {
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...client });
    const answer = await request(keks.url, '/oauth/token', { method: 'POST', body: form });
    return (answer.body as { access_token: string }).access_token;
  };

  beforeAll(async () => {
    keks = await startTestApp();
    await keks.addUser('Ann');
    const { clientId, clientSecret } = await addClient(keks, { scope: ['cookies:eat'] });
    client = { client_id: clientId, client_secret: clientSecret };
  });

  afterAll(() => keks.close());

  it('kills what is older and nothing that is younger', async () => {
    const old = [await keks.login('Ann'), await issueToClient()];
    keks.clock.advance(60);
    const moment = new Date(keks.clock.now());
    keks.clock.advance(60);
    const young = await keks.login('Ann');

    expect(await keks.app.get(RestoredBackup).revokeAll(moment, () => undefined)).toBe(2);
    for (const token of old) expect((await get(keks.url, '/cookies', token)).status).toBe(401);
    expect((await get(keks.url, '/cookies', young)).status).toBe(200);
  });

  it('lets clients and people get new tokens at once', async () => {
    expect((await get(keks.url, '/cookies', await issueToClient())).status).toBe(200);
    expect((await get(keks.url, '/cookies', await keks.login('Ann'))).status).toBe(200);
  });

  it('goes through more grants than one step holds', async () => {
    const { rows } = await keks.database.client.query<{ id: string }>(
      `INSERT INTO grants (kind, user_id, scope, expires_at)
       SELECT 'login', users.id, '', now() + interval '1 day' FROM users, generate_series(1, ${GRANTS}) RETURNING id`,
    );
    const counts: number[] = [];
    const revoked = await keks.app
      .get(RestoredBackup)
      .revokeAll(new Date(keks.clock.now() + 1_000), (count) => counts.push(count));
    expect(revoked).toBeGreaterThanOrEqual(rows.length);
    expect(counts.length).toBeGreaterThan(2);
    const alive = await keks.database.client.query('SELECT FROM grants WHERE revoked_at IS NULL');
    expect(alive.rowCount).toBe(0);
  });

  it('gives way to who holds a row, tries again, and ends that one, too', async () => {
    await keks.login('Ann');
    const { client: holder } = keks.database;
    await holder.query('BEGIN; SELECT FROM grants WHERE revoked_at IS NULL FOR UPDATE');
    const revoking = keks.app
      .get(RestoredBackup)
      .revokeAll(new Date(keks.clock.now() + 1_000), () => undefined);
    await untilWaiting(keks.database);
    // until it has been cancelled once
    await expect
      .poll(async () => {
        await holder.query('SELECT pg_stat_clear_snapshot()');
        const { rows } = await holder.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return rows.length;
      }, PATIENTLY)
      .toBe(0);
    await holder.query('COMMIT');
    expect(await revoking).toBe(1);
  });
});

describe('a table for people', () => {
  it('has any number of rows', () => {
    const lines = table(
      ['A'],
      Array.from({ length: 400_000 }, (_, at) => [String(at)]),
    ).split('\n');
    expect(lines).toHaveLength(400_001);
  });
});
