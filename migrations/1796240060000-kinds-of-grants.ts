import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reads all grants, and nobody waits for it: what is inserted meanwhile is checked as it comes. */
export class KindsOfGrants1796240060000 implements MigrationInterface {
  readonly name = 'KindsOfGrants1796240060000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE grants VALIDATE CONSTRAINT grants_kind_check');
    await queryRunner.query('ALTER TABLE grants VALIDATE CONSTRAINT grants_owner_check');
  }

  /** That rows have been read needs no undoing. */
  async down(): Promise<void> {
    return undefined;
  }
}
