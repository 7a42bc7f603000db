import { Unavailable } from '../http/errors/unavailable.js';

/** SQLSTATE classes that mean that the program is wrong: data, constraint, syntax, raised by our own functions. */
const OUR_FAULT = new Set(['22', '23', '42', 'P0']);

/** PostgreSQL's SQLSTATE, five characters; undefined for a fault of the connection. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** check_violation */
const CHECK = '23514';

/**
 * A row was on its way into the default partition when its own partition was attached. PostgreSQL refuses it like a CHECK,
 * but one without a name. Sent again, the row goes to the right partition.
 */
export function isMisrouted(error: unknown): boolean {
  const cause = error instanceof Unavailable ? error.cause : error;
  if (sqlState(cause) !== CHECK || !(cause instanceof Error)) return false;
  return !('constraint' in cause) || cause.constraint === undefined;
}

/** duplicate_prepared_statement, invalid_sql_statement_name: a pooler has given us a different session. */
const LOST_NAME = new Set(['42P05', '26000']);

/** A statement was not found under its name, or a different one was: nothing has been done. */
export function isLostName(error: unknown): boolean {
  return LOST_NAME.has(sqlState(error) ?? '');
}

/**
 * Turns a fault of the infrastructure into `Unavailable` (503): no connection, a time-out, a server that starts or stops, or
 * one that became a standby. Everything else comes back as it is. When in doubt it is infrastructure, and never a verdict.
 */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Unavailable) return error;
  const state = sqlState(error);
  if (isMisrouted(error)) return new Unavailable('a partition was being attached', { cause: error });
  if (isLostName(error))
    return new Unavailable('the pooler in between keeps no prepared statements', { cause: error });
  if (state ? OUR_FAULT.has(state.slice(0, 2)) : !isPostgresFault(error)) return error;
  return new Unavailable(`the database could not answer: ${state ?? error.message}`, { cause: error });
}

/** The system and the driver write their error codes in capitals; our own error codes for the wire are not. */
function isPostgresFault(error: Error): boolean {
  if ('code' in error && /^[a-z]/.test(String(error.code))) return false;
  return (
    'syscall' in error ||
    'code' in error ||
    /connect|connection|timeout|timed out|client|terminated|pool/i.test(error.message)
  );
}
