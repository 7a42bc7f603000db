import { Unavailable } from '../http/errors/unavailable.js';
import type { Statement, Queries } from './statement.js';
import type { QueryResultRow } from 'pg';

/** A statement that changes a row, if it is there and not yet changed, and returns it. */
export interface Change extends Statement {
  /** Finds a row if something is left to change. */
  readonly left: Statement & {
    /** The number of the change's values that this statement takes, from the first on. */
    readonly parameters: number;
  };
}

const ATTEMPTS = 3;

/**
 * Applies a change and tries again if the row was missed. No changed row proves nothing: the row may have moved to
 * another partition while the statement waited. Nothing is left to change only if a second statement, with its own
 * snapshot, finds nothing.
 * @returns no rows if another statement was faster, or if the row does not exist
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
