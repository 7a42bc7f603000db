import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * Codes that people type on another device (RFC 8628), and which clients may ask for them. The previous version asks for none,
 * and does not know clients that can do nothing else.
 */
export class DeviceCodes1796260100000 implements MigrationInterface {
  readonly name = 'DeviceCodes1796260100000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const steps = [lockTables('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE'), SWITCH, CODES];
    for (const step of [...steps, SAME_OWNER, SAME_RIGHTS]) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE device_codes; ALTER TABLE clients DROP COLUMN device_grant');
  }
}

const SWITCH = 'ALTER TABLE clients ADD COLUMN device_grant boolean NOT NULL DEFAULT false';

const CODES = `
  CREATE TABLE device_codes (
    digest     bytea       NOT NULL,
    user_code  bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    client_id  text        NOT NULL,
    scope      text        NOT NULL,
    audience   text        NOT NULL,
    offline    boolean     NOT NULL,
    ip         text,
    network    text        NOT NULL,
    pause      integer     NOT NULL,
    polled_at  timestamptz,
    grant_id   uuid,
    denied_at  timestamptz,
    used_at    timestamptz,
    CONSTRAINT device_codes_pkey PRIMARY KEY (digest),
    CONSTRAINT device_codes_user_code_key UNIQUE (user_code)
  );
  CREATE INDEX device_codes_expires_at_idx ON device_codes (expires_at);
`;

const SAME_OWNER = sameOwner('TABLE device_codes');

const SAME_RIGHTS = sameRights(['device_codes'], ['SELECT', 'INSERT', 'UPDATE', 'DELETE']);
