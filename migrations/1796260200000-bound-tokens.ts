import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * Tokens that only the owner of a key can use (RFC 9449): the row has the thumbprint of the key. New columns may be null, so the
 * previous version keeps working. But it takes a bound token for a bearer token: bind tokens only when no instance of it is left.
 */
export class BoundTokens1796260200000 implements MigrationInterface {
  readonly name = 'BoundTokens1796260200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [LOCKS, KEYS, USED_PROOFS, SAME_OWNER, SAME_ROLES]) await queryRunner.query(step);
  }

  /** Bound tokens are deleted: without the key, a thief could use them. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DELETE FROM access_tokens WHERE jkt IS NOT NULL;
      DELETE FROM refresh_tokens WHERE jkt IS NOT NULL;
      DELETE FROM authorization_codes WHERE jkt IS NOT NULL;
      ALTER TABLE clients DROP COLUMN dpop_bound;
      ALTER TABLE access_tokens DROP COLUMN jkt;
      ALTER TABLE refresh_tokens DROP COLUMN jkt;
      ALTER TABLE authorization_codes DROP COLUMN jkt;
      DROP TABLE used_proofs;
    `);
  }
}

/** In the order in which issuing takes the locks. All steps that follow are quick. */
const LOCKS = lockTables(
  'LOCK TABLE clients IN ACCESS EXCLUSIVE MODE',
  'LOCK TABLE authorization_codes IN ACCESS EXCLUSIVE MODE',
  'LOCK TABLE access_tokens IN ACCESS EXCLUSIVE MODE',
  'LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE',
);

const KEYS = `
  ALTER TABLE clients ADD COLUMN dpop_bound boolean NOT NULL DEFAULT false;
  ALTER TABLE access_tokens ADD COLUMN jkt text;
  ALTER TABLE refresh_tokens ADD COLUMN jkt text;
  ALTER TABLE authorization_codes ADD COLUMN jkt text;
`;

/**
 * Each row stays some minutes. The table is unlogged: its changes are not in the write-ahead log and not sent to a standby. So
 * after a crash or a failover the last minutes are forgotten, as docs/dpop.md says.
 */
const USED_PROOFS = `
  CREATE UNLOGGED TABLE used_proofs (
    digest     bytea       NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT used_proofs_pkey PRIMARY KEY (digest)
  ) WITH (autovacuum_vacuum_scale_factor = 0.05);
  CREATE INDEX used_proofs_expires_at_idx ON used_proofs (expires_at);
`;

const SAME_OWNER = sameOwner('TABLE used_proofs');

const SAME_ROLES = sameRights(['used_proofs'], ['SELECT', 'INSERT', 'UPDATE', 'DELETE']);
