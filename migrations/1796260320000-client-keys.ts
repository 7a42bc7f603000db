import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * Clients that prove themselves with a key of their own (RFC 7523): the public half of the key, and which proofs have been seen.
 * The column may be null, so no row is written and the previous version keeps working: for it, such a client has no secret yet.
 */
export class ClientKeys1796260320000 implements MigrationInterface {
  readonly name = 'ClientKeys1796260320000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE'));
    await queryRunner.query('ALTER TABLE clients ADD COLUMN jwks jsonb');
    await queryRunner.query(`
      CREATE TABLE client_assertions (
        digest     bytea       NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT client_assertions_pkey PRIMARY KEY (digest)
      );
      CREATE INDEX client_assertions_expires_at_idx ON client_assertions (expires_at);
    `);
    await queryRunner.query(sameOwner('TABLE client_assertions'));
    await queryRunner.query(sameRights(['client_assertions'], ['SELECT', 'INSERT', 'UPDATE', 'DELETE']));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE client_assertions');
    await queryRunner.query('ALTER TABLE clients DROP COLUMN jwks');
  }
}
