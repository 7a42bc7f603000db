import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reads all grants. Nobody waits for it: rows that are inserted meanwhile are checked when they come. */
export class KindsOfGrants1796240060000 implements MigrationInterface {
  readonly name = 'KindsOfGrants1796240060000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE grants VALIDATE CONSTRAINT grants_kind_check');
    await queryRunner.query('ALTER TABLE grants VALIDATE CONSTRAINT grants_owner_check');
  }

  /** The validation of rows needs no undoing. */
  async down(): Promise<void> {
    return undefined;
  }
}
