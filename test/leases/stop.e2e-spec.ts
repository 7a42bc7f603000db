import { randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { addClient, basic, submit } from '../support/oauth.js';
import { startTestApp } from '../support/test-app.js';

vi.mock('node:timers/promises', async (actual) => {
  const timers = await actual<typeof import('node:timers/promises')>();
  // as the timers of Node.js are, by a part of a millisecond
  const early = async (ms = 1, ...rest: []): Promise<unknown> =>
    timers.setTimeout(Math.max(0, ms - 3), ...rest);
  return { ...timers, setTimeout: early };
});

it('an instance that stops takes its entry along when its last lease is over, although timers are early', async () => {
  const keks = await startTestApp({ LEASE_TTL: '1s' });
  const api = await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] });
  const name = randomBytes(16).toString('base64url');
  const ask = async (cursor?: string): Promise<{ cursor: string; lease_ms: number }> => {
    const fields = { guard: name, ...(cursor === undefined ? {} : { cursor }) };
    return (await submit(keks.url, '/oauth/revocations', fields, basic(api))).body as never;
  };
  let { cursor, lease_ms } = await ask();
  while (lease_ms === 0) ({ cursor, lease_ms } = await ask(cursor));
  const { database } = keks;
  const entries = async (): Promise<number> =>
    (await database.client.query('SELECT FROM guard_leases')).rowCount ?? 0;
  expect(await entries()).toBe(1);
  await keks.app.close();
  expect(await entries()).toBe(0);
  await database.close();
});
