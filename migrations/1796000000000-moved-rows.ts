import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A statement that waits for a default partition has listed the partitions already. It would not look into the partition to which
 * its rows have been moved: a revoke would change nothing, and a living token would not be found. So rows move under a lock of
 * the parent, where a statement waits before it lists anything.
 */
export class MovedRows1796000000000 implements MigrationInterface {
  readonly name = 'MovedRows1796000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(OWN_SEARCH_PATH);
    await queryRunner.query(makePartition(MOVE_UNDER_LOCK_OF_PARENT));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(OWN_SEARCH_PATH);
    await queryRunner.query(makePartition(MOVE_UNDER_LOCK_OF_DEFAULT));
  }
}

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

const makePartition = (body: string): string => `
  CREATE OR REPLACE FUNCTION keks_make_partition(parent text, lower timestamptz, upper timestamptz) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
  DECLARE
    child  text := parent || '_' || to_char(lower, 'YYYYMMDD');
    astray text := parent || '_default';
    key    text := CASE parent WHEN 'access_tokens' THEN 'expires_at' WHEN 'refresh_tokens' THEN 'expires_at'
                               WHEN 'audit_events' THEN 'created_at' END;
    moving boolean;
  BEGIN
    IF key IS NULL OR lower >= upper THEN
      RAISE EXCEPTION 'not a table that Keks partitions, or an empty range: %', parent;
    END IF;
    IF to_regclass(quote_ident(child)) IS NOT NULL THEN
      RETURN false;
    END IF;
    ${body}
    IF parent = 'access_tokens' THEN
      EXECUTE format('ALTER TABLE %I REPLICA IDENTITY FULL', child);
    END IF;
    RETURN true;
  END $$;
`;

/**
 * We do not wait for a transaction that holds the default partition alone, such as a purge: everybody else would wait with us.
 * Rows may come between the look and the lock: they raise this error, and the caller tries again later.
 */
const MOVE_UNDER_LOCK_OF_PARENT = `
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I >= %L AND %I < %L)', astray, key, lower, key, upper)
       INTO moving;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
    IF moving THEN
      EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', parent);
      EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE NOWAIT', astray);
    ELSE
      EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', astray);
    END IF;
    IF moving THEN
      EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *)
                      INSERT INTO %I SELECT * FROM moved', astray, key, lower, key, upper, child);
    END IF;
    BEGIN
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, lower, upper);
    EXCEPTION WHEN check_violation THEN
      RAISE EXCEPTION 'rows have come into % meanwhile', astray USING ERRCODE = 'lock_not_available';
    END;`;

/** The steps before this migration. */
const MOVE_UNDER_LOCK_OF_DEFAULT = `
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', astray);
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', astray, key, lower, key, upper, child);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, lower, upper);`;
