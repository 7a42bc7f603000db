import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * What a person did, and what was done to one, is found without reading the log of everybody. Events of clients, which are most
 * of them where there are many, are in neither index. While they are built, tokens are looked up, and nothing is issued.
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
