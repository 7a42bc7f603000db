import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * Refresh tokens and API keys are found by their ids, which the audit log shows, without reading the whole table. While the
 * indexes are built, tokens can be looked up, but nobody can refresh a token or make a key.
 */
export class IdsOfLongLived1796260600000 implements MigrationInterface {
  readonly name = 'IdsOfLongLived1796260600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE refresh_tokens, api_keys IN SHARE MODE'));
    await queryRunner.query('CREATE INDEX refresh_tokens_id_idx ON refresh_tokens USING hash (id)');
    await queryRunner.query('CREATE INDEX api_keys_id_idx ON api_keys USING hash (id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX refresh_tokens_id_idx, api_keys_id_idx');
  }
}
