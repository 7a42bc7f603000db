import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * A role that serves without owning anything (docs/operating.md) can add to the audit log and read it, and no more: whoever takes
 * over the server cannot remove the traces. The function that drops partitions with its owner's rights knows by itself which part
 * of the log is over, and rights to change the log are taken away. No version has used these rights.
 */
export class AuditAppendOnly1796100000000 implements MigrationInterface {
  readonly name = 'AuditAppendOnly1796100000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, LOCKS, dropPartition(RETENTION), RIGHTS])
      await queryRunner.query(step);
  }

  /** The rights are not given back: nothing needs them. */
  async down(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, dropPartition('')]) await queryRunner.query(step);
  }
}

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/**
 * By PostgreSQL's clock and the first of the month, whatever the caller says. This is for the log only: the caller may delete
 * tokens anyway.
 */
const RETENTION = `
       OR parent = 'audit_events' AND over > date_trunc('month', clock_timestamp()) - interval '13 months'`;

/** @param more other cases in which the partition is not over: `OR ...` */
export const dropPartition = (more: string): string => `
  CREATE OR REPLACE FUNCTION keks_drop_partition(child text, upto timestamptz) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
  DECLARE
    parent text;
    over   timestamptz;
  BEGIN
    SELECT p.relname, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([^'']+)''\\)')::timestamptz
      INTO parent, over
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
     WHERE c.oid = to_regclass(quote_ident(child));
    IF parent IS NULL OR parent NOT IN ('access_tokens', 'refresh_tokens', 'audit_events')
       OR over IS NULL OR over > upto${more} THEN
      RETURN false;
    END IF;
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, child);
    EXECUTE format('DROP TABLE %I', child);
    RETURN true;
  END $$;
`;

/** No partition is added or dropped while rights change. Roles that add to the log or read it do not wait. */
const LOCKS = lockTables('LOCK TABLE ONLY audit_events IN SHARE UPDATE EXCLUSIVE MODE');

/**
 * The rights of roles that write to the log and do not own it. They may look whether rows have fallen into the default partition.
 */
const RIGHTS = `
  DO $$ DECLARE who text; part regclass; BEGIN
    FOR who IN SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
                 FROM pg_class, aclexplode(relacl)
                WHERE oid = 'audit_events'::regclass AND grantee <> relowner AND privilege_type = 'INSERT' LOOP
      FOR part IN SELECT 'audit_events'::regclass UNION ALL
                  SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_events'::regclass LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %s FROM %s CASCADE', part, who);
      END LOOP;
      EXECUTE format('GRANT SELECT ON audit_events_default TO %s', who);
    END LOOP;
  END $$;
`;
