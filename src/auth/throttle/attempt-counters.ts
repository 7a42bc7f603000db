import { Inject, Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';
import type { Queries, Statement } from '../../database/statement.js';

/** The same thing under each key that this instance accepts: instances whose keys overlap share their counts. */
export type CounterKey = readonly Buffer[];

/** One thing whose failures are counted, and for how long. */
export interface Counted {
  readonly key: CounterKey;
  readonly windowSeconds: number;
}

/** How often it failed in the current window, and when the window ends: milliseconds since the epoch. */
export interface Count {
  readonly failures: number;
  readonly endsAt: number;
}

const READ: Statement = {
  name: 'read_attempt_counters',
  text: `SELECT key, failures, ends_at FROM attempt_counters WHERE key = ANY ($1) AND ends_at > $2`,
};

/**
 * By hand, like all of them, and so prepared: a flood of attempts sends them. Sorted by key, so that two statements never
 * wait for each other in a circle. A window that is over begins anew.
 */
const COUNT: Statement = {
  name: 'count_attempt',
  text: `
    INSERT INTO attempt_counters AS c (key, failures, ends_at)
    SELECT key, 1, ends_at FROM unnest($1::bytea[], $2::timestamptz[]) AS counted (key, ends_at) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET
      failures = CASE WHEN c.ends_at <= $3 THEN 1 ELSE c.failures + 1 END,
      ends_at  = CASE WHEN c.ends_at <= $3 THEN excluded.ends_at ELSE c.ends_at END
    RETURNING key, failures`,
};

const CLEAR: Statement = {
  name: 'clear_attempt_counter',
  text: `DELETE FROM attempt_counters WHERE key = ANY ($1)`,
};

/** A mark that something is there. It is renewed at most once a day. */
const MARK: Statement = {
  name: 'mark_attempt_counter',
  text: `
    INSERT INTO attempt_counters AS c (key, failures, ends_at)
    SELECT key, 0, $2 FROM unnest($1::bytea[]) AS key ORDER BY key
    ON CONFLICT (key) DO UPDATE SET ends_at = excluded.ends_at WHERE c.ends_at < excluded.ends_at - interval '1 day'`,
};

/**
 * Counters in Postgres: all instances share them, and they outlive a restart. Keys are digests, so that the table tells
 * nobody which names and addresses were tried.
 */
@Injectable()
export class AttemptCounters {
  private readonly secrets: readonly Buffer[];

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) config: SecretKeysConfig,
  ) {
    this.secrets = acceptedSecrets(config).map((secret) => derivedKey(secret, 'attempts'));
  }

  /** @param parts what is counted; no two lists of parts give the same key */
  key(...parts: string[]): CounterKey {
    const text = JSON.stringify(parts);
    return this.secrets.map((secret) => createHmac('sha256', secret).update(text).digest());
  }

  /** In the order of the keys. Other instances may not count under all of our keys, so the highest count is the right one. */
  async read(keys: readonly CounterKey[]): Promise<Count[]> {
    const rows = await this.database.run<{ key: Buffer; failures: number; ends_at: Date }>(READ, [
      keys.flat(),
      new Date(this.clock.now()),
    ]);
    return keys.map((key) => {
      const [highest] = rows
        .filter((row) => key.some((one) => one.equals(row.key)))
        .map((row) => ({ failures: row.failures, endsAt: row.ends_at.getTime() }))
        .sort((a, b) => b.failures - a.failures || b.endsAt - a.endsAt);
      return highest ?? { failures: 0, endsAt: 0 };
    });
  }

  /** @returns how often each has failed now */
  async count(counted: readonly Counted[], queries: Queries = this.database): Promise<number[]> {
    const now = this.clock.now();
    const each = counted.flatMap(({ key, windowSeconds }) =>
      key.map((one) => ({ key: one, end: new Date(now + windowSeconds * 1_000) })),
    );
    const values = [each.map(({ key }) => key), each.map(({ end }) => end), new Date(now)];
    const rows = await queries.run<{ key: Buffer; failures: number }>(COUNT, values);
    return counted.map(({ key }) =>
      Math.max(...rows.filter((row) => key.some((one) => one.equals(row.key))).map((row) => row.failures)),
    );
  }

  /** Counts, and does `work` with the counts in the same transaction. */
  async countAnd(
    counted: readonly Counted[],
    work: (queries: Queries, counts: readonly number[]) => Promise<void>,
  ): Promise<void> {
    await this.database.transaction(async (queries) => work(queries, await this.count(counted, queries)));
  }

  async clear(key: readonly Buffer[]): Promise<void> {
    await this.database.run(CLEAR, [key]);
  }

  async mark({ key, windowSeconds }: Counted): Promise<void> {
    await this.database.run(MARK, [key, new Date(this.clock.now() + windowSeconds * 1_000)]);
  }
}
