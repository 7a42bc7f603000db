import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * What of a user's is alive is found without reading all that has ended. In a transaction of its own, because it takes its
 * time: while it is built, tokens are looked up, and nobody logs in.
 */
export class LivingGrants1796000061000 implements MigrationInterface {
  readonly name = 'LivingGrants1796000061000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE grants IN SHARE MODE'));
    await queryRunner.query(
      'CREATE INDEX grants_living_idx ON grants (user_id, kind, expires_at) WHERE revoked_at IS NULL AND user_id IS NOT NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX grants_living_idx');
  }
}
