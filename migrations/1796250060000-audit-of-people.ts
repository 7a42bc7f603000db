import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * What a person did, and what was done to a person, is found without reading the whole log. Events of clients, which are most of
 * the log where there are many clients, are in neither index. While the indexes are built, tokens can be looked up, but nothing
 * is issued.
 */
export class AuditOfPeople1796250060000 implements MigrationInterface {
  readonly name = 'AuditOfPeople1796250060000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE audit_events IN SHARE MODE'));
    await queryRunner.query(
      `CREATE INDEX audit_events_person_idx ON audit_events (actor, created_at, id) WHERE actor LIKE 'user:%'`,
    );
    await queryRunner.query(
      `CREATE INDEX audit_events_user_idx ON audit_events ((detail->>'user'), created_at, id)
        WHERE detail->>'user' IS NOT NULL`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX audit_events_person_idx, audit_events_user_idx');
  }
}
