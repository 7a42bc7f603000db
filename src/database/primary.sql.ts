/**
 * A condition that holds on a primary, and that PostgreSQL itself answers with an error on a standby (55000), also where
 * there are no rows: what a standby does not find may only not have arrived there yet. It is worked out once a statement.
 */
export const ON_PRIMARY = `(SELECT CASE WHEN pg_is_in_recovery() THEN pg_current_wal_lsn() IS NOT NULL ELSE true END)`;
