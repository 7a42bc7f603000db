/**
 * A condition that is true on a primary. On a standby PostgreSQL answers with an error (55000), even if there are no
 * rows: a row that a standby does not find may not have arrived there yet. PostgreSQL computes it once for each
 * statement.
 */
export const ON_PRIMARY = `(SELECT CASE WHEN pg_is_in_recovery() THEN pg_current_wal_lsn() IS NOT NULL ELSE true END)`;
