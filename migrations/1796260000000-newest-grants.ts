import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * Lists of grants do not read ended grants, and grants that ended long ago are found without reading living ones. The migration
 * runs in a transaction of its own: while the indexes are built, tokens can be looked up, but nobody can log in. In addition, a
 * grant that had ended when a dump was made is also ended where the dump is loaded.
 */
export class NewestGrants1796260000000 implements MigrationInterface {
  readonly name = 'NewestGrants1796260000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lockTables('LOCK TABLE grants IN SHARE MODE'));
    for (const [name, what] of INDEXES) await queryRunner.query(`CREATE INDEX ${name} ON grants ${what}`);
    await queryRunner.query(OWN_SEARCH_PATH);
    await queryRunner.query(epochOfOldPrograms(`NEW.created_at > now() - interval '1 hour'`));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const [name] of INDEXES) await queryRunner.query(`DROP INDEX ${name}`);
    await queryRunner.query(OWN_SEARCH_PATH);
    await queryRunner.query(epochOfOldPrograms('true'));
  }
}

/** The orders of the indexes differ in where a NULL would be: see living-grants.ts. */
const INDEXES = [
  ['grants_newest_idx', '(created_at DESC NULLS LAST, id DESC) WHERE revoked_at IS NULL'],
  [
    'grants_newest_of_user_idx',
    '(user_id, kind, created_at DESC NULLS LAST, id DESC NULLS LAST) WHERE revoked_at IS NULL AND user_id IS NOT NULL',
  ],
  [
    'grants_newest_of_client_idx',
    '(client_id, created_at DESC NULLS LAST, id DESC NULLS LAST) WHERE revoked_at IS NULL AND client_id IS NOT NULL',
  ],
  ['grants_revoked_at_idx', '(revoked_at) WHERE revoked_at IS NOT NULL'],
] as const;

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/**
 * The same function as before, but a dump is loaded unchanged. A grant from before there were epochs has no epoch: with today's
 * epoch it would seem to begin after all endings that cover it.
 */
const epochOfOldPrograms = (isMadeNow: string): string => `
  CREATE OR REPLACE FUNCTION keks_set_grant_epoch() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    IF ${isMadeNow} THEN
      SELECT u.epoch INTO NEW.epoch FROM users u WHERE u.id = NEW.user_id FOR SHARE;
    END IF;
    RETURN NEW;
  END $$;
`;
