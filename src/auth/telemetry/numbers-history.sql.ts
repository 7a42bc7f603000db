import type { Statement } from '../../database/statement.js';

export const HISTORY_NUMBERS = [
  ...(['issued', 'validated', 'refused', 'unanswered', 'logins_refused', 'revoked'] as const),
] as const;

export type HistoryNumbers = Readonly<Record<(typeof HISTORY_NUMBERS)[number], number>>;

export interface HistoryRow extends HistoryNumbers {
  readonly began_at: Date;
}

const NAMES = HISTORY_NUMBERS.join(', ');
const SUMS = HISTORY_NUMBERS.map((name) => `${name} = h.${name} + excluded.${name}`).join(', ');

/**
 * Written as SQL because it needs ON CONFLICT with sums. Adds the counts `$2` to `$7` to the row of the five minutes
 * from `$1`, which all instances share, and deletes rows older than `$8`.
 */
export const ADD_TO_HISTORY: Statement = {
  name: 'add_to_numbers_history',
  text: `
    WITH over AS (DELETE FROM numbers_history WHERE began_at < $8)
    INSERT INTO numbers_history AS h (began_at, ${NAMES}) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (began_at) DO UPDATE SET ${SUMS}`,
};

export const READ_HISTORY: Statement = {
  name: 'read_numbers_history',
  text: `SELECT began_at, ${HISTORY_NUMBERS.map((name) => `${name}::float8`).join(', ')}
           FROM numbers_history WHERE began_at >= $1 ORDER BY began_at LIMIT 400`,
};
