import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * A role that serves without owning anything (docs/operating.md) can add to the audit log and read it. So that whoever takes
 * the server over cannot take away what tells of it: the function that drops partitions with its owner's rights knows by itself
 * what of the log is over, and rights to change the log go. No version has used them.
 */
export class AuditAppendOnly1796100000000 implements MigrationInterface {
  readonly name = 'AuditAppendOnly1796100000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, LOCKS, dropPartition(RETENTION), RIGHTS])
      await queryRunner.query(step);
  }

  /** Rights that were taken are not given back: nothing needs them. */
  async down(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, dropPartition('')]) await queryRunner.query(step);
  }
}

/** Functions keep the one of their making; a caller's own temporary tables are not to be found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/** By PostgreSQL's clock and the first of the month: whatever the caller says. Tokens he may delete anyway. */
const RETENTION = `
       OR parent = 'audit_events' AND over > date_trunc('month', clock_timestamp()) - interval '13 months'`;

/** @param more when else it is not over: `OR ...` */
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

/** No partition comes or goes while rights do; who adds to the log or reads it does not wait. */
const LOCKS = lockTables('LOCK TABLE ONLY audit_events IN SHARE UPDATE EXCLUSIVE MODE');

/** Of those who write to it and do not own it. They may look whether something has fallen into the default partition. */
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
