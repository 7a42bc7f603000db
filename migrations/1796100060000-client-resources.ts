import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * For which APIs a client may get tokens (RFC 8707). It may be null, so nothing is written and the version before goes on: what
 * it adds, and what is there, may get them for each API that is registered, as ever.
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
