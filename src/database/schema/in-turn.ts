import type pg from 'pg';
import { sqlState } from '../postgres-error.js';

/** lock_not_available */
export const LOCKED = '55P03';
/** query_canceled */
export const TOO_LONG = '57014';
/**
 * Attempts for each error. Another attempt helps if the machine was slow for a moment, but not if there are too many
 * rows.
 */
const ATTEMPTS: Readonly<Record<string, number>> = { [LOCKED]: 40, [TOO_LONG]: 3 };
/**
 * How long one partition may lock the tables, including the wait: milliseconds. It is less than the time limit of a
 * statement that waits for the lock. Rows that take longer to move stay where they are.
 */
export const HOLD_MS = 250;

/** One instance at a time: two that create the same table at once would fail in PostgreSQL's own catalog. */
const BEGIN_IN_TURN = `BEGIN; SET LOCAL lock_timeout = '50ms'; SELECT pg_advisory_xact_lock(${0x4b_45_4b_54});
  SET LOCAL statement_timeout = '${HOLD_MS}ms'`;

export async function unlessLocked<R extends pg.QueryResultRow>(
  client: pg.Client,
  text: string,
  values: unknown[],
): Promise<R[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(BEGIN_IN_TURN);
      const { rows } = await client.query<R>(text, values);
      await client.query('COMMIT');
      return rows;
    } catch (error) {
      await client.query('ROLLBACK');
      if (attempt >= (ATTEMPTS[sqlState(error) ?? ''] ?? 0)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 100));
    }
  }
}
