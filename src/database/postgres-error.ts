import { Unavailable } from '../http/errors/unavailable.js';

/** SQLSTATE classes of faults of this program: data, constraint, syntax, and errors raised by our own functions. */
const OUR_FAULT = new Set(['22', '23', '42', 'P0']);

/** The SQLSTATE of PostgreSQL, five characters. Undefined for a fault of the connection. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** check_violation */
const CHECK = '23514';

/**
 * True if a row was on its way into the default partition while its own partition was attached. PostgreSQL refuses the
 * row like a CHECK, but without the name of a constraint. Sent again, the row goes to the right partition.
 */
function isMisrouted(error: unknown): boolean {
  const { state, constraint } = violationOf(error);
  return state === CHECK && constraint === undefined;
}

/** foreign_key_violation */
const FOREIGN_KEY = '23503';

/**
 * True if a receiver was removed while an event for it was written down. Nothing of the statement or transaction has been done, and
 * sent again it finds the receiver gone.
 */
function isForRemovedReceiver(error: unknown): boolean {
  const { state, constraint } = violationOf(error);
  return state === FOREIGN_KEY && constraint === 'undelivered_events_receiver_id_fkey';
}

/** What PostgreSQL has said, also of a fault that is `Unavailable` already. */
function violationOf(error: unknown): { readonly state: string | undefined; readonly constraint: unknown } {
  const cause = error instanceof Unavailable ? error.cause : error;
  const constraint = cause instanceof Error && 'constraint' in cause ? cause.constraint : undefined;
  return { state: sqlState(cause), constraint };
}

/** True for a fault that the same statement or transaction does not meet again: it may be sent once more. */
export function isPassing(error: unknown): boolean {
  return isMisrouted(error) || isForRemovedReceiver(error);
}

/** duplicate_prepared_statement, invalid_sql_statement_name: the pooler has given us another session. */
const LOST_NAME = new Set(['42P05', '26000']);

/** True if the name had no statement, or a different one: nothing has been done. */
export function isLostName(error: unknown): boolean {
  return LOST_NAME.has(sqlState(error) ?? '');
}

/**
 * Turns a fault of the infrastructure into `Unavailable` (503): no connection, a time-out, or a server that starts,
 * stops or became a standby. Any other error comes back unchanged. A doubtful fault counts as infrastructure, and never
 * as a verdict.
 */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Unavailable) return error;
  const state = sqlState(error);
  if (isMisrouted(error)) return new Unavailable('a partition was being attached', { cause: error });
  if (isForRemovedReceiver(error))
    return new Unavailable('a receiver of events was being removed', { cause: error });
  if (isLostName(error))
    return new Unavailable('the pooler in between keeps no prepared statements', { cause: error });
  if (state ? OUR_FAULT.has(state.slice(0, 2)) : !isPostgresFault(error)) return error;
  return new Unavailable(`the database could not answer: ${state ?? error.message}`, { cause: error });
}

/** The system and the driver write their error codes in capitals; our own wire error codes are in lower case. */
function isPostgresFault(error: Error): boolean {
  if ('code' in error && /^[a-z]/.test(String(error.code))) return false;
  return (
    'syscall' in error ||
    'code' in error ||
    /connect|connection|timeout|timed out|client|terminated|pool/i.test(error.message)
  );
}
