import { Unavailable } from '../http/errors/unavailable.js';
import type { Statement, Queries } from './statement.js';
import type { QueryResultRow } from 'pg';

/** A statement that changes a row, if it is there and not yet changed, and returns it. */
export interface Change extends Statement {
  /** Finds a row if something is left to change. */
  readonly left: Statement & {
    /** It takes this many of the change's values, from the first on. */
    readonly parameters: number;
  };
}

const ATTEMPTS = 3;

/**
 * If a change touched no row, that proves nothing: the row may have moved to another partition while the statement waited.
 * Only if a second statement, with its own snapshot, finds nothing, is nothing left to change.
 * @returns no rows if somebody else was faster, or if the row is not there
 * @throws Unavailable if the row is still there after several attempts
 */
export async function apply<R extends QueryResultRow>(
  queries: Queries,
  change: Change,
  values: readonly unknown[],
): Promise<R[]> {
  const { left } = change;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const rows = await queries.run<R>(change, values);
    if (rows.length > 0) return rows;
    if ((await queries.run(left, values.slice(0, left.parameters))).length === 0) return [];
  }
  throw new Unavailable('what was to be changed is there, and was not found');
}
