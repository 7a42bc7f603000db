import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * Digests are asked for by equality only, and random: a tree of them is descended through four pages that are in no cache,
 * a hash index has one, and is a third as large. In a transaction of its own, because it takes its time: while it is built,
 * tokens are looked up, and not issued.
 */
export class HashedDigests1795392000000 implements MigrationInterface {
  readonly name = 'HashedDigests1795392000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE access_tokens IN SHARE MODE'));
    await queryRunner.query('CREATE INDEX access_tokens_digest_idx ON access_tokens USING hash (digest)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX access_tokens_digest_idx');
  }
}
