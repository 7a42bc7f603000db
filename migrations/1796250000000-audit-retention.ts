import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dropPartition } from './1796100000000-audit-append-only.js';

/**
 * The owner of the tables now says how long the audit log is kept: in a comment on the table, which every role can read and only
 * the owner can change. Without such a comment, 13 months are kept as before.
 */
export class AuditRetention1796250000000 implements MigrationInterface {
  readonly name = 'AuditRetention1796250000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, dropPartition(AS_THE_OWNER_SAYS)]) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, dropPartition(THIRTEEN_MONTHS)]) await queryRunner.query(step);
  }
}

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

const olderThan = (months: string): string => `
       OR parent = 'audit_events' AND over > date_trunc('month', clock_timestamp()) - make_interval(months => ${months})`;

const AS_THE_OWNER_SAYS = olderThan(
  `coalesce(substring(obj_description('audit_events'::regclass, 'pg_class') FROM '^audit_months=([0-9]{1,4})$')::int, 13)`,
);

/** The retention before this migration. */
const THIRTEEN_MONTHS = olderThan('13');
