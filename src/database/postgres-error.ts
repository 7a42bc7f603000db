import { Unavailable } from '../http/errors/unavailable.js';

/** SQLSTATE classes that mean that the program is wrong: data, constraint, syntax, raised by our own functions. */
const OUR_FAULT = new Set(['22', '23', '42', 'P0']);

/** What Postgres said, as five characters (SQLSTATE), or undefined for a fault of the connection. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** check_violation */
const CHECK = '23514';

/**
 * A row that was on its way into the default partition when one of its own was attached: refused by PostgreSQL as by a CHECK,
 * but by none that has a name. Sent again, it finds its way.
 */
export function isMisrouted(error: unknown): boolean {
  const cause = error instanceof Unavailable ? error.cause : error;
  if (sqlState(cause) !== CHECK || !(cause instanceof Error)) return false;
  return !('constraint' in cause) || cause.constraint === undefined;
}

/** duplicate_prepared_statement, invalid_sql_statement_name: a pooler has given us another session than before. */
const LOST_NAME = new Set(['42P05', '26000']);

/** A statement was not found under its name, or another's was: nothing has been done. */
export function isLostName(error: unknown): boolean {
  return LOST_NAME.has(sqlState(error) ?? '');
}

/**
 * A fault of the infrastructure becomes `Unavailable` (503): no connection, a time-out, a server that starts or stops, one that turned into a
 * standby. Everything else comes back as it is. When in doubt it is infrastructure: never a verdict.
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

/** The system and the driver write their codes in capitals; an answer for the wire, which is none of theirs, does not. */
function isPostgresFault(error: Error): boolean {
  if ('code' in error && /^[a-z]/.test(String(error.code))) return false;
  return (
    'syscall' in error ||
    'code' in error ||
    /connect|connection|timeout|timed out|client|terminated|pool/i.test(error.message)
  );
}
