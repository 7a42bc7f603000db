import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner } from './as-grants.js';

/**
 * Events of very frequent types leave the audit log before the rest of their month does. Nobody may delete from the log, so a
 * month that is over is copied without these events, and the copy takes its place. The owner of the tables says which types, and
 * after how many months, in a comment on the column `type`; for the whole log he says it in a comment on the table.
 */
export class AuditByType1796260660000 implements MigrationInterface {
  readonly name = 'AuditByType1796260660000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, THIN, sameOwner(`FUNCTION ${SIGNATURE}`), RIGHTS])
      await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP FUNCTION ${SIGNATURE}`);
  }
}

const SIGNATURE = 'keks_thin_audit(text, boolean)';

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/**
 * First call it without `swap`: it makes the copy if one is due, for as long as that takes, and nobody waits for it. True means
 * that a copy is ready. Then call it with `swap`: it puts the copy in the place of the month, under the locks of DETACH.
 */
const THIN = `
  CREATE FUNCTION keks_thin_audit(child text, swap boolean) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
  DECLARE
    thin  text := child || '_thin';
    begun timestamptz;
    over  timestamptz;
    due   text[];
    mark  text;
  BEGIN
    SELECT substring(bound FROM 'FROM \\(''([^'']+)''\\)')::timestamptz, substring(bound FROM 'TO \\(''([^'']+)''\\)')::timestamptz
      INTO begun, over
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) AS bound
     WHERE i.inhparent = 'audit_events'::regclass AND c.oid = to_regclass(quote_ident(child));
    IF over IS NULL THEN
      RETURN false;
    END IF;
    SELECT array_agg(said[1] ORDER BY said[1]) INTO due
      FROM pg_attribute a,
           regexp_matches(col_description(a.attrelid, a.attnum), '([a-z_]+\\.[a-z_]+)=([0-9]{1,4})', 'g') AS said
     WHERE a.attrelid = 'audit_events'::regclass AND a.attname = 'type'
       AND over <= date_trunc('month', clock_timestamp()) - make_interval(months => said[2]::int);
    mark := 'without ' || array_to_string(due, ', ');
    IF to_regclass(quote_ident(thin)) IS NOT NULL
       AND obj_description(to_regclass(quote_ident(thin)), 'pg_class') IS DISTINCT FROM mark THEN
      EXECUTE format('DROP TABLE %I', thin);
    END IF;
    IF due IS NULL OR obj_description(to_regclass(quote_ident(child)), 'pg_class') = mark THEN
      RETURN false;
    END IF;
    IF to_regclass(quote_ident(thin)) IS NULL THEN
      IF swap OR NOT pg_try_advisory_xact_lock(hashtext(thin)) THEN
        RETURN false;
      END IF;
      EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING ALL)', thin);
      EXECUTE format('COMMENT ON TABLE %I IS %L', thin, mark);
      EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE type <> ALL (%L::text[])', thin, child, due);
      -- so that ATTACH need not look at the rows
      EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (created_at >= %L AND created_at < %L)', thin, thin, begun, over);
      RETURN true;
    END IF;
    IF swap THEN
      EXECUTE format('ALTER TABLE audit_events DETACH PARTITION %I', child);
      EXECUTE format('DROP TABLE %I', child);
      EXECUTE format('ALTER TABLE %I RENAME TO %I', thin, child);
      EXECUTE format('ALTER TABLE audit_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', child, begun, over);
      EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', child, thin);
    END IF;
    RETURN true;
  END $$;
`;

/** A role that may have partitions dropped may also call this. The function does what the owner has said, whoever calls it. */
const RIGHTS = `
  REVOKE ALL ON FUNCTION ${SIGNATURE} FROM PUBLIC;
  DO $$ DECLARE who text; BEGIN
    FOR who IN SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
                 FROM pg_proc, aclexplode(proacl)
                WHERE oid = 'keks_drop_partition(text, timestamptz)'::regprocedure AND grantee <> proowner LOOP
      EXECUTE format('GRANT EXECUTE ON FUNCTION ${SIGNATURE} TO %s', who);
    END LOOP;
  END $$;
`;
