import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * Programs that act for people: where their answers go, whether they can keep a secret, what people have allowed them, and the
 * codes in between. New columns have defaults, so the previous version keeps working. It registers no such program, so there are
 * no consents until this version registers a program.
 */
export class Apps1796240000000 implements MigrationInterface {
  readonly name = 'Apps1796240000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const steps = [LOCKS, APPS, CONSENTS, CODES, WORDS, OWN_SEARCH_PATH, endOf('{login,api_key,consent}')];
    for (const step of [...steps, SAME_OWNER, SAME_ROLES]) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(OWN_SEARCH_PATH);
    await queryRunner.query(endOf('{login,api_key}'));
    await queryRunner.query(`
      DELETE FROM refresh_tokens WHERE grant_id IN (SELECT id FROM grants WHERE kind = 'consent');
      DELETE FROM access_tokens WHERE grant_id IN (SELECT id FROM grants WHERE kind = 'consent');
      DELETE FROM grants WHERE kind = 'consent';
      ALTER TABLE grants DROP COLUMN remembered,
        DROP CONSTRAINT grants_kind_check, DROP CONSTRAINT grants_owner_check,
        ADD CONSTRAINT grants_kind_check CHECK (kind IN ('login', 'client', 'api_key')),
        ADD CONSTRAINT grants_owner_check CHECK (
          CASE kind WHEN 'client' THEN client_id IS NOT NULL AND user_id IS NULL
                    ELSE user_id IS NOT NULL AND client_id IS NULL END);
      ALTER TABLE clients DROP COLUMN redirect_uris, DROP COLUMN is_public;
      DROP TABLE authorization_codes, scope_descriptions;
    `);
  }
}

/** In the order in which consenting takes the locks. All steps that follow are quick. */
const LOCKS = lockTables(
  'LOCK TABLE users IN ACCESS EXCLUSIVE MODE',
  'LOCK TABLE clients IN ACCESS EXCLUSIVE MODE',
  'LOCK TABLE grants IN ACCESS EXCLUSIVE MODE',
);

const APPS = `
  ALTER TABLE clients ADD COLUMN redirect_uris text[] NOT NULL DEFAULT '{}',
                      ADD COLUMN is_public boolean NOT NULL DEFAULT false;
`;

/**
 * The rows that are there obey the new rules, because they obeyed narrower ones: the next migration reads the rows and validates
 * the constraints.
 */
const CONSENTS = `
  ALTER TABLE grants ADD COLUMN remembered boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT grants_kind_check, DROP CONSTRAINT grants_owner_check,
    ADD CONSTRAINT grants_kind_check CHECK (kind IN ('login', 'client', 'api_key', 'consent')) NOT VALID,
    ADD CONSTRAINT grants_owner_check CHECK (
      (user_id IS NOT NULL) = (kind <> 'client') AND (client_id IS NOT NULL) = (kind IN ('client', 'consent'))) NOT VALID;
`;

const CODES = `
  CREATE TABLE authorization_codes (
    digest         bytea       NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    grant_id       uuid        NOT NULL,
    client_id      text        NOT NULL,
    redirect_uri   text        NOT NULL,
    code_challenge text        NOT NULL,
    audience       text        NOT NULL,
    offline        boolean     NOT NULL,
    used_at        timestamptz,
    CONSTRAINT authorization_codes_pkey PRIMARY KEY (digest)
  );
  CREATE INDEX authorization_codes_expires_at_idx ON authorization_codes (expires_at);
`;

const WORDS = `
  CREATE TABLE scope_descriptions (
    scope       text NOT NULL,
    description text NOT NULL,
    CONSTRAINT scope_descriptions_pkey PRIMARY KEY (scope)
  );
`;

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/** The same function as before, for other kinds of grants: for a person who is disabled with psql, or by the previous version. */
const endOf = (kinds: string): string => `
  CREATE OR REPLACE FUNCTION keks_end_disabled_user() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    INSERT INTO owner_endings (user_id, epoch, kinds, ended_at, reason, actor)
    VALUES (OLD.id, OLD.epoch, '${kinds}', clock_timestamp(), 'user_disabled', 'operator');
    NEW.epoch := OLD.epoch + 1;
    RETURN NEW;
  END $$;
`;

const SAME_OWNER = sameOwner('TABLE authorization_codes', 'TABLE scope_descriptions');

const SAME_ROLES = sameRights(
  ['authorization_codes', 'scope_descriptions'],
  ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
);
