import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * Clients that register themselves (RFC 7591): which clients these are, what each has said about itself, which token manages it,
 * and the tokens with which an administrator lets somebody register a client. All that is new is a table or has a default, so the
 * previous version keeps working.
 */
export class RegisteredClients1796260300000 implements MigrationInterface {
  readonly name = 'RegisteredClients1796260300000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [LOCK, CLIENTS, INITIAL_TOKENS, REGISTRATIONS, SAME_OWNER, SAME_ROLES])
      await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE client_registrations, initial_access_tokens');
    await queryRunner.query('ALTER TABLE clients DROP COLUMN self_registered');
  }
}

const LOCK = lockTables('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE');

/**
 * Each registration asks how many such clients there are, and maintenance asks which are old. The index answers both, however
 * many other clients there are.
 */
const CLIENTS = `
  ALTER TABLE clients ADD COLUMN self_registered boolean NOT NULL DEFAULT false;
  CREATE INDEX clients_self_registered_idx ON clients (created_at) WHERE self_registered;
`;

const INITIAL_TOKENS = `
  CREATE TABLE initial_access_tokens (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    digest     bytea       NOT NULL,
    label      text        NOT NULL,
    expires_at timestamptz NOT NULL,
    uses_left  integer     NOT NULL,
    CONSTRAINT initial_access_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT initial_access_tokens_digest_key UNIQUE (digest),
    CONSTRAINT initial_access_tokens_uses_check CHECK (uses_left >= 0)
  );
`;

const REGISTRATIONS = `
  CREATE TABLE client_registrations (
    client_id     text  NOT NULL,
    digest        bytea NOT NULL,
    auth_method   text  NOT NULL,
    grant_types   text[] NOT NULL,
    CONSTRAINT client_registrations_pkey PRIMARY KEY (client_id),
    CONSTRAINT client_registrations_digest_key UNIQUE (digest),
    CONSTRAINT client_registrations_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients (client_id) ON DELETE CASCADE
  );
`;

const SAME_OWNER = sameOwner('TABLE initial_access_tokens', 'TABLE client_registrations');

const SAME_ROLES = sameRights(
  ['initial_access_tokens', 'client_registrations'],
  ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
);
