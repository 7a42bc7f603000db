/**
 * Takes exclusive locks without making others wait long. A new statement waits behind every lock that is waited for, so each
 * attempt is short, and an attempt that fails gives up all its locks. A vacuum that PostgreSQL started by itself gives way when
 * somebody has waited for `deadlock_timeout`, which a superuser may shorten. We wait for a vacuum that does not give way, and for
 * a dump.
 * @param locks statements, such as `LOCK TABLE grants IN SHARE MODE`
 */
export const lockTables = (...locks: string[]): string => `
  DO $$ BEGIN
    PERFORM set_config('lock_timeout', '50ms', true);
    BEGIN
      PERFORM set_config('deadlock_timeout', '20ms', true);
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    FOR attempt IN 1..600 LOOP
      BEGIN
        ${locks.join(';\n        ')};
        RETURN;
      EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
        PERFORM pg_sleep(0.05 + random() * 0.1);
      END;
    END LOOP;
    RAISE EXCEPTION 'the tables have been in use for more than a minute, by a dump or a vacuum: start again when it is over';
  END $$;
`;
