import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * The living grants of a user are found without reading all ended ones. The migration runs in a transaction of its own, because
 * it takes its time: while the index is built, tokens can be looked up, but nobody can log in.
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
