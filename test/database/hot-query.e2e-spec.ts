import { User } from '../../src/auth/users/user.entity.js';
import { PooledDataSource, pooledOptions } from '../../src/database/pooled-data-source.js';
import { connectionOf } from '../../src/database/pools.js';
import { Database } from '../../src/database/database.js';
import { LastUse, NOTED_SECONDS } from '../../src/auth/grants/last-use.js';
import { timestampArray } from '../../src/database/hot/binary-arrays.js';
import { Unavailable } from '../../src/http/errors/unavailable.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { cancelled } from '../support/locks.js';
import { PATIENTLY } from '../support/test-app.js';
import { logStatements } from '../support/statement-log.js';
import { get, startTestApp } from '../support/test-app.js';
import type { Statement } from '../../src/database/statement.js';

const statement = (name: string, text: string): Statement => ({ name, text });

const NUMBERS = statement('numbers', `SELECT n, NULL, 'text', n = 2, '' FROM generate_series(1, 3) AS n`);
const NONE = statement('none', 'SELECT 1 WHERE false');
const HALF_AN_ANSWER = statement('half_an_answer', 'SELECT 1 / (2 - n) FROM generate_series(1, 3) AS n');
const NONSENSE = statement('nonsense', 'SELECT FROM nowhere');
const SLOW = statement('slow', 'SELECT pg_sleep(60)');
const WHO = statement('who', 'SELECT pg_backend_pid()');
const TIMES = statement(
  'times',
  `SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM unnest($1::timestamptz[]) AS at`,
);

describe('a statement on the hot path', () => {
  let postgres: TestDatabase;
  let database: Database;

  async function opened(timeout: number): Promise<Database> {
    const made = new Database({ DATABASE_TIMEOUT: timeout });
    await made.attach(connectionOf(postgres.url), new PooledDataSource(pooledOptions(() => made.lend())));
    return made;
  }

  beforeAll(async () => {
    postgres = await createDatabase();
    database = await opened(20_000);
  });

  afterAll(async () => {
    await database.detach();
    await postgres.close();
  });

  it('gives rows as text, in the order of the columns, NULL as null', async () => {
    expect(await database.runHot(NUMBERS)).toEqual([
      ['1', null, 'text', 'f', ''],
      ['2', null, 'text', 't', ''],
      ['3', null, 'text', 'f', ''],
    ]);
    expect(await database.runHot(NONE)).toEqual([]);
  });

  it.each([
    ['the epoch of PostgreSQL', 946_684_800, '2000-01-01 00:00:00'],
    ['before it', 1, '1970-01-01 00:00:01'],
    ['today', 1_795_386_000, '2026-11-22 22:20:00'],
    ['beyond 32 bits', 4_294_967_295, '2106-02-07 06:28:15'],
  ])('takes a time in binary: %s', async (_, seconds, text) => {
    expect(await database.runHot(TIMES, [timestampArray([seconds, 1])])).toEqual([
      [text],
      ['1970-01-01 00:00:01'],
    ]);
  });

  it('is prepared once a connection, and executed ever after', async () => {
    const log = await logStatements(postgres);
    for (let at = 0; at < 5; at += 1) await database.runHot(NUMBERS);
    expect(await log.since()).toEqual(Array.from({ length: 5 }, () => NUMBERS.name));
    const [[pid] = []] = await database.runHot(WHO);
    const { rows } = await postgres.client.query<{ query: string }>(
      'SELECT query FROM pg_stat_activity WHERE pid = $1',
      [pid],
    );
    expect(rows[0]?.query).toBe(WHO.text);
  });

  it('gives no rows of an answer that ends in an error, and the connection goes on', async () => {
    await expect(database.runHot(HALF_AN_ANSWER)).rejects.toThrow('division by zero');
    await expect(database.runHot(NONSENSE)).rejects.toThrow('nowhere');
    expect(await database.runHot(NUMBERS)).toHaveLength(3);
  });

  it('is unavailable when the answer takes longer than DATABASE_TIMEOUT, and the next is not', async () => {
    const hasty = await opened(400);
    try {
      // its end is not waited for: it would come after a minute
      await expect(hasty.runHot(SLOW)).rejects.toBeInstanceOf(Unavailable);
      await vi.waitFor(async () => expect(await hasty.runHot(NUMBERS)).toHaveLength(3), PATIENTLY);
    } finally {
      await hasty.detach();
    }
  });

  it('is unavailable when the connection goes away under it, and the next is not', async () => {
    const asked = database.runHot(SLOW).catch((error: unknown) => error);
    await vi.waitFor(async () => {
      const { rows } = await postgres.client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1',
        [SLOW.text],
      );
      expect(rows).toHaveLength(1);
    }, PATIENTLY);
    expect(await asked).toBeInstanceOf(Unavailable);
    expect(await database.runHot(NUMBERS)).toHaveLength(3);
  });

  it('finds a connection with its statements after a quiet time: one is kept, the others are closed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await Promise.all([database.runHot(NUMBERS), database.runHot(NUMBERS), database.runHot(NUMBERS)]);
      expect(database.pools().hot.total).toBe(3);
      await vi.advanceTimersByTimeAsync(60_000);
    } finally {
      vi.useRealTimers();
    }
    expect(database.pools().hot).toEqual({ total: 1, idle: 1, waiting: 0 });
  });
});

describe('the last use of a grant', () => {
  it('is noted once in a while, and not with each validation', async () => {
    const one = await startTestApp();
    try {
      await one.addUser('CookieDestroyer');
      const token = await one.login('CookieDestroyer');
      const use = async () => {
        expect((await get(one.url, '/cookies', token)).status).toBe(200);
        await one.app.get(LastUse).flush();
        const { rows } = await one.database.client.query<{ at: Date }>(
          'SELECT last_used_at AS at FROM grants',
        );
        return rows[0]?.at.getTime();
      };
      one.clock.freeze();
      const first = await use();
      one.clock.advance(NOTED_SECONDS - 2);
      expect(await use()).toBe(first);
      one.clock.advance(4);
      expect(await use()).toBe((first ?? 0) + (NOTED_SECONDS + 2) * 1_000);
    } finally {
      await one.close();
    }
  });

  it('is kept when it cannot be written, and written the next time', async () => {
    const one = await startTestApp();
    try {
      await one.addUser('CookieDestroyer');
      const token = await one.login('CookieDestroyer');
      const { client } = one.database;
      const noted = async (written: Promise<void>) => {
        await written;
        return (await client.query('SELECT FROM grants WHERE last_used_at IS NOT NULL')).rows.length;
      };
      expect((await get(one.url, '/cookies', token)).status).toBe(200);
      await client.query('BEGIN; SELECT FROM grants FOR UPDATE');
      expect(await noted(cancelled(one.database, one.app.get(LastUse).flush()))).toBe(0);
      await client.query('ROLLBACK');
      expect(await noted(one.app.get(LastUse).flush())).toBe(1);
    } finally {
      await one.close();
    }
  });
});

describe('a repository', () => {
  it('is unavailable, and no error of the program, while the database has not been there yet', async () => {
    const source = new PooledDataSource(pooledOptions(() => Promise.reject(new Error('nobody lends'))));
    await expect(source.getRepository(User).findOneBy({ name: 'Ann' })).rejects.toBeInstanceOf(Unavailable);
  });
});
