import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/** Which guards an instance has, for people to read: written beside the lease, and never used to decide anything. */
export class DescribedGuards1796260500000 implements MigrationInterface {
  readonly name = 'DescribedGuards1796260500000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE guard_leases IN ACCESS EXCLUSIVE MODE'));
    await queryRunner.query(
      'ALTER TABLE guard_leases ADD COLUMN holders json, ADD COLUMN described_at timestamptz',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE guard_leases DROP COLUMN holders, DROP COLUMN described_at');
  }
}
