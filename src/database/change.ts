import { Unavailable } from '../http/errors/unavailable.js';
import type { Statement, Queries } from './statement.js';
import type { QueryResultRow } from 'pg';

/** A statement that changes something, if it is there and has not been changed yet, and returns what. */
export interface Change extends Statement {
  /** Finds a row if there still is something to change. */
  readonly left: Statement & {
    /** How many of the change's values it takes, from the first on. */
    readonly parameters: number;
  };
}

const ATTEMPTS = 3;

/**
 * A change that touched no row is no success: a row may have been moved from one partition to another while the statement
 * waited. Only what a statement with a snapshot of its own no longer finds has nothing left to change.
 * @returns no rows if somebody else was faster, or it is not there
 * @throws Unavailable when it is still there after several attempts
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
