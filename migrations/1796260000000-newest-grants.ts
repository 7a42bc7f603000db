import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * Lists of grants do not read what has ended, and what was ended long ago is found without reading what lives. In a transaction
 * of its own: while the indexes are built, tokens are looked up, and nobody logs in.
 */
export class NewestGrants1796260000000 implements MigrationInterface {
  readonly name = 'NewestGrants1796260000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE grants IN SHARE MODE'));
    for (const [name, what] of INDEXES) await queryRunner.query(`CREATE INDEX ${name} ON grants ${what}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const [name] of INDEXES) await queryRunner.query(`DROP INDEX ${name}`);
  }
}

const INDEXES = [
  ['grants_newest_idx', '(created_at, id) WHERE revoked_at IS NULL'],
  [
    'grants_newest_of_user_idx',
    '(user_id, kind, created_at, id) WHERE revoked_at IS NULL AND user_id IS NOT NULL',
  ],
  [
    'grants_newest_of_client_idx',
    '(client_id, created_at, id) WHERE revoked_at IS NULL AND client_id IS NOT NULL',
  ],
  ['grants_revoked_at_idx', '(revoked_at) WHERE revoked_at IS NOT NULL'],
] as const;
