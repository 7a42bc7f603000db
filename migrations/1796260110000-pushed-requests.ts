import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * Requests that clients send before they send the person to the authority (RFC 9126). The previous version accepts none, and
 * requires none.
 */
export class PushedRequests1796260110000 implements MigrationInterface {
  readonly name = 'PushedRequests1796260110000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const steps = [lockTables('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE'), SWITCH, REQUESTS];
    for (const step of [...steps, SAME_OWNER, SAME_RIGHTS]) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE pushed_requests; ALTER TABLE clients DROP COLUMN require_pushed');
  }
}

const SWITCH = 'ALTER TABLE clients ADD COLUMN require_pushed boolean NOT NULL DEFAULT false';

const REQUESTS = `
  CREATE TABLE pushed_requests (
    digest     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    client_id  text        NOT NULL,
    network    text        NOT NULL,
    parameters text        NOT NULL,
    opened_at  timestamptz,
    used_at    timestamptz,
    CONSTRAINT pushed_requests_pkey PRIMARY KEY (digest)
  );
  CREATE INDEX pushed_requests_expires_at_idx ON pushed_requests (expires_at);
`;

const SAME_OWNER = sameOwner('TABLE pushed_requests');

const SAME_RIGHTS = sameRights(['pushed_requests'], ['SELECT', 'INSERT', 'UPDATE', 'DELETE']);
