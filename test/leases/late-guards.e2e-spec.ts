import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FeedGuard } from '../support/feed-guard.js';
import { addClient, basic, submit, type TestClient } from '../support/oauth.js';
import {
  PASSWORD,
  PATIENTLY,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

const LEASE_MS = 1_000;

describe('an end is acknowledged', () => {
  let keks: TestApp;
  let api: TestClient;
  let guard: FeedGuard;
  const sql = async (text: string): Promise<unknown[]> => (await keks.database.client.query(text)).rows;
  const registered = (): Promise<unknown[]> => sql('SELECT guards FROM guard_leases');

  beforeAll(async () => {
    keks = await startTestApp({ LEASE_TTL: `${LEASE_MS / 1_000}s` });
    await keks.addUser('Ann', 'keks:metrics');
    api = await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] });
    guard = new FeedGuard(ask);
  });

  afterAll(() => keks.close());

  const ask = (fields: Record<string, string>, client = api): Promise<Answer> =>
    submit(keks.url, '/oauth/revocations', fields, basic(client));
  const isLate = (): boolean =>
    keks.log.some((line) => line.includes('an end was acknowledged') && line.includes(guard.name));

  async function jwt(): Promise<string> {
    const answer = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });
    return (answer.body as { token: string }).token;
  }

  async function revoke(token: string): Promise<void> {
    expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
  }

  it('as soon as its guard has said so, before the database has said whether its client may still ask', async () => {
    const acknowledged = async (): Promise<string> => {
      guard = new FeedGuard(ask);
      const token = await jwt();
      await guard.untilLease();
      const told = guard.poll();
      const ended = revoke(token);
      await told;
      await sql('BEGIN');
      await sql('LOCK TABLE client_secrets IN ACCESS EXCLUSIVE MODE');
      const next = guard.poll();
      await ended;
      await sql('ROLLBACK');
      await next;
      return isLate() ? 'late' : 'at once';
    };
    // on a slow machine its lease may be over before it asks again
    await expect.poll(acknowledged, PATIENTLY).toBe('at once');
  });

  it('not when somebody else says so: with the name of the guard, and not with the secret of its lease', async () => {
    const { clientSecret } = await addClient(keks, {
      name: 'thief',
      scope: [],
      audience: [keks.config.AUDIENCE],
    });
    const acknowledged = async (): Promise<string> => {
      guard = new FeedGuard(ask);
      const token = await jwt();
      await guard.untilLease();
      const told = guard.poll();
      const ended = revoke(token);
      await told;
      const forged = { guard: guard.name, cursor: guard.cursor ?? '' };
      expect((await ask(forged, { ...api, clientSecret })).status).toBe(401);
      await ended;
      return isLate() ? 'late' : 'at once';
    };
    // on a slow machine its lease may be over before the revoke comes
    await expect.poll(acknowledged, PATIENTLY).toBe('late');
  });

  it('after the lease of a guard that asks no more, to whoever waits for it', async () => {
    const token = await jwt();
    const began = performance.now();
    await guard.untilLease();
    await Promise.all([revoke(token), revoke(token)]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(LEASE_MS);
  });

  it('late where a guard hangs: the log and the metrics say so', async () => {
    const isNamed = async (): Promise<boolean> => {
      const token = await jwt();
      await guard.untilLease();
      await revoke(token);
      return isLate();
    };
    // on a slow machine its lease may be over before the revoke comes
    await expect.poll(isNamed, PATIENTLY).toBe(true);
    const headers = { authorization: `Bearer ${await keks.login('Ann')}` };
    const text = String((await request(keks.url, '/metrics', { headers })).body);
    expect(text).toMatch(/^keks_guards_late_total [1-9]/m);
    expect(text).toMatch(/^keks_guard_wait_seconds_count [1-9]/m);
    expect(text).toMatch(/^keks_guards \d/m);
  });

  it('at once where no guard has a lease', async () => {
    await expect.poll(registered, PATIENTLY).toEqual([]);
    await revoke(await jwt());
    expect(await registered()).toEqual([]);
  });

  it('after a lease where an instance is gone, whose entry then goes too', async () => {
    const token = await jwt();
    const began = performance.now();
    await sql(`INSERT INTO guard_leases VALUES (gen_random_uuid(), 7, '1:1:', 300, 1, now())`);
    await revoke(token);
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(await registered()).toEqual([]);
  });
});
