import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EndingSweeper } from '../../src/auth/grants/ending-sweeper.js';
import { LIST_GRANTS, LIST_OWN_GRANTS } from '../../src/auth/grants/grants.sql.js';
import { LOOKED_AT_MOST } from '../../src/auth/grants/living-grants.js';
import { ALONG_THE_KEY } from '../../src/auth/grants/owner-ending.sql.js';
import { NEWEST } from '../../src/auth/lists/cursors.js';
import type { Statement } from '../../src/database/statement.js';
import { addClient } from '../support/oauth.js';
import { get, startTestApp, type TestApp } from '../support/test-app.js';

const MANY = 20_000;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

interface Page {
  readonly items: readonly { readonly id: string; readonly username?: string }[];
  readonly next: string | null;
}

/**
 * Among 20,000 newer grants of one account that have ended: those of the first half in a row of their own, the others by the
 * ending of all, which nobody sweeps here. Then that account has begun again.
 */
describe('lists beside an account with very many ended grants', () => {
  let keks: TestApp;
  let client: pg.Client;
  let big = '';
  let clientId = '';

  beforeAll(async () => {
    keks = await startTestApp({ LOG_LEVEL: 'error' });
    ({ client } = keks.database);
    await keks.app.get(EndingSweeper).beforeApplicationShutdown();
    for (const [name, scope] of [
      ['Big', 'cookies:eat'],
      ['Small', 'cookies:eat'],
      ['Root', 'keks:admin'],
    ] as const)
      await keks.addUser(name, scope);
    ({ clientId } = await addClient(keks));
    const { rows } = await client.query<{ id: string }>(`SELECT id FROM users WHERE name = 'Big'`);
    big = rows[0]?.id ?? '';
    for (let at = 0; at < 3; at += 1) await keks.login('Small');
    await plant('login', null, 'CASE WHEN n % 2 = 0 THEN now() END');
    await plant('consent', clientId, 'NULL');
    await client.query(
      `WITH owner AS (UPDATE users SET epoch = epoch + 1 WHERE id = $1 RETURNING id, epoch - 1 AS epoch)
       INSERT INTO owner_endings (user_id, epoch, kinds, ended_at, reason)
       SELECT id, epoch, '{login,api_key,consent}', now(), 'test' FROM owner`,
      [big],
    );
  });

  afterAll(() => keks.close());

  async function plant(kind: string, ofClient: string | null, revokedAt: string): Promise<void> {
    await client.query(
      `INSERT INTO grants (kind, user_id, client_id, epoch, scope, created_at, expires_at, revoked_at)
       SELECT $1, $2, $3, 0, 'cookies:eat', now() + n * interval '1 ms', now() + interval '1 d', ${revokedAt}
         FROM generate_series(1, ${MANY}) AS n`,
      [kind, big, ofClient],
    );
  }

  /** Rows of `grants` that a statement has taken in hand. */
  async function lookedAt({ text }: Statement, owner: readonly string[]): Promise<number> {
    await client.query('BEGIN');
    await client.query(ALONG_THE_KEY.text);
    const values = [...NEWEST, new Date(), 21, ...owner];
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) ${text}`,
      values,
    );
    await client.query('ROLLBACK');
    let total = 0;
    const add = (plan: Plan): void => {
      if (plan['Relation Name'] === 'grants')
        total += (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
      for (const one of plan.Plans ?? []) add(one);
    };
    add(rows[0]!['QUERY PLAN'][0].Plan);
    return total;
  }

  it('are not compiled to machine code, which costs PostgreSQL 17 and older seconds', async () => {
    await client.query('BEGIN');
    expect((await client.query('SHOW jit')).rows).toEqual([{ jit: 'on' }]);
    await client.query(ALONG_THE_KEY.text);
    expect((await client.query('SHOW jit')).rows).toEqual([{ jit: 'off' }]);
    await client.query('ROLLBACK');
  });

  const LISTS: readonly [string, Statement, () => string[]][] = [
    ['of everybody', LIST_GRANTS.anybody, () => []],
    ['of a user', LIST_GRANTS.user, () => [big]],
    ['of a client', LIST_GRANTS.client, () => [clientId]],
    ['of the logins of a user', LIST_OWN_GRANTS.login, () => [big]],
    ['of the keys of a user', LIST_OWN_GRANTS.api_key, () => [big]],
  ];

  it.each(['never analysed', 'analysed'])('look at a bounded number of rows: %s', async (how) => {
    if (how === 'analysed') await client.query('ANALYZE grants, owner_endings, users');
    for (const [name, statement, owner] of LISTS) {
      // once for the page, once to see where the next one begins; a user's kinds come one from each at first
      const seen = await lookedAt(statement, owner());
      expect([name, seen, seen <= 2 * LOOKED_AT_MOST + 6]).toEqual([name, seen, true]);
    }
  });

  it('200 on each page, and all that live are on one of them, once', async () => {
    const token = await keks.login('Root');
    const fresh = await keks.login('Big', 'keks:account');
    const found = await pages('/admin/grants', token);
    expect(found.map(({ username }) => username).sort()).toEqual(['Big', 'Root', 'Small', 'Small', 'Small']);
    expect(new Set(found.map(({ id }) => id)).size).toBe(5);
    expect(await pages(`/admin/grants?user_id=${big}`, token)).toHaveLength(1);
    expect(await pages(`/admin/grants?client_id=${clientId}`, token)).toEqual([]);
    expect(await pages('/sessions', fresh)).toEqual([expect.objectContaining({ current: true })]);
    expect(await pages('/keys', fresh)).toEqual([]);
  });

  async function pages(path: string, token: string): Promise<Page['items'][number][]> {
    const found: Page['items'][number][] = [];
    let cursor = '';
    for (let most = 0; most < 50; most += 1) {
      const answer = await get(keks.url, `${path}${path.includes('?') ? '&' : '?'}limit=2${cursor}`, token);
      expect(answer.status).toBe(200);
      const { items, next } = answer.body as Page;
      found.push(...items);
      if (next === null) return found;
      cursor = `&cursor=${encodeURIComponent(next)}`;
    }
    throw new Error('the list has no end');
  }
});
