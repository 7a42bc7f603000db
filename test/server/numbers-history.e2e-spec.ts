import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HISTORY_SPAN, HISTORY_STEP, NumbersHistory } from '../../src/auth/telemetry/numbers-history.js';
import { get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

interface Answer {
  readonly step: number;
  readonly span: number;
  readonly items: readonly (Record<string, number> & { readonly began_at: string })[];
}

let keks: TestApp;
let other: TestApp;

const history = async (): Promise<Answer['items']> => {
  const answer = await get(keks.url, '/admin/numbers/history', await keks.login('Boss'));
  expect(answer.status).toBe(200);
  const { step, span, items } = answer.body as Answer;
  expect([step, span]).toEqual([HISTORY_STEP, HISTORY_SPAN]);
  return items;
};
const add = async (): Promise<void> => {
  for (const app of [keks, other]) await app.app.get(NumbersHistory, { strict: false }).add();
};
const sumOf = (items: Answer['items'], name: string): number =>
  items.reduce((total, one) => total + (one[name] ?? 0), 0);

beforeAll(async () => {
  keks = await startTestApp();
  other = await startTestApp({}, keks.database);
  await keks.addUser('Boss', 'keks:admin');
});

afterAll(async () => {
  await other.app.close();
  await keks.close();
});

describe('GET /admin/numbers/history', () => {
  it('tells what all instances counted, five minutes each, once', async () => {
    await add();
    const before = await history();
    await post(keks.url, '/issue', { user: 'Boss', password: `${PASSWORD}.` });
    for (const app of [keks, other]) {
      const { token } = (await post(app.url, '/issue', { user: 'Boss', password: PASSWORD })).body as {
        token: string;
      };
      await get(app.url, '/sessions', token);
      await get(app.url, '/sessions', 'nonsense');
      await post(app.url, '/revoke', { token });
    }
    await add();
    await add();
    const after = await history();
    const rise = (name: string): number => sumOf(after, name) - sumOf(before, name);
    expect([rise('refused'), rise('logins_refused'), rise('revoked')]).toEqual([2, 1, 2]);
    // and the login and the question of `history` itself
    expect([rise('issued'), rise('validated')]).toEqual([3, 3]);
    for (const { began_at: at } of after) expect((Date.parse(at) / 1_000) % HISTORY_STEP).toBe(0);
  });

  it('begins a new row after five minutes, and keeps a day', async () => {
    const rows = (await history()).length;
    keks.clock.advance(HISTORY_STEP);
    await history();
    await add();
    expect(await history()).toHaveLength(rows + 1);
    keks.clock.advance(HISTORY_SPAN + 2 * HISTORY_STEP);
    expect(await history()).toEqual([]);
    await add();
    expect(await history()).toHaveLength(1);
    const { rows: kept } = await keks.database.client.query('SELECT 1 FROM numbers_history');
    expect(kept).toHaveLength(1);
  });

  it('403 without keks:admin', async () => {
    await keks.addUser('Anybody');
    expect((await get(keks.url, '/admin/numbers/history', await keks.login('Anybody'))).status).toBe(403);
  });

  // the last one: in one process an application that is closed takes the repositories of the others along
  it('has what an instance counted until it stopped', async () => {
    const refused = async (): Promise<number> => {
      const { rows } = await keks.database.client.query<{ sum: number }>(
        'SELECT coalesce(sum(logins_refused), 0)::int AS sum FROM numbers_history',
      );
      return rows[0]?.sum ?? 0;
    };
    await add();
    const before = await refused();
    const third = await startTestApp({}, keks.database);
    await post(third.url, '/issue', { user: 'Boss', password: `${PASSWORD}.` });
    await third.app.close();
    expect((await refused()) - before).toBe(1);
  });
});
