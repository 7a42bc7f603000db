import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';

/**
 * Clients whose name is the address of their metadata: until when the metadata that was read counts. A new table only, so the
 * previous version keeps working.
 */
export class ClientDocuments1796260310000 implements MigrationInterface {
  readonly name = 'ClientDocuments1796260310000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE client_documents (
        client_id   text        NOT NULL,
        fresh_until timestamptz NOT NULL,
        CONSTRAINT client_documents_pkey PRIMARY KEY (client_id),
        CONSTRAINT client_documents_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients (client_id) ON DELETE CASCADE
      );
    `);
    await queryRunner.query(sameOwner('TABLE client_documents'));
    await queryRunner.query(sameRights(['client_documents'], ['SELECT', 'INSERT', 'UPDATE', 'DELETE']));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE client_documents');
  }
}
