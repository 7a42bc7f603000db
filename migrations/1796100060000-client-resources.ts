import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * The APIs for which a client may get tokens (RFC 8707). The column may be null, so no row is written and the previous version
 * keeps working: clients that are there, and clients that it adds, may get tokens for each registered API, as before.
 */
export class ClientResources1796100060000 implements MigrationInterface {
  readonly name = 'ClientResources1796100060000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE'));
    await queryRunner.query('ALTER TABLE clients ADD COLUMN resources text[]');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE clients DROP COLUMN resources');
  }
}
