/**
 * A condition that is true on a primary. On a standby PostgreSQL answers it with an error (55000), even if there are no rows:
 * what a standby does not find may only not have arrived there yet. It is computed once for each statement.
 */
export const ON_PRIMARY = `(SELECT CASE WHEN pg_is_in_recovery() THEN pg_current_wal_lsn() IS NOT NULL ELSE true END)`;
