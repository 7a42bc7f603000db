import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * Which keys are in use, and which rows need which key: so SECRET_KEY can be replaced instance by instance, and the old key can
 * go when nothing needs it. The columns may be null, so no row is written and the previous version keeps working: the key of what
 * it makes is unknown.
 */
export class SecretKeys1796000120000 implements MigrationInterface {
  readonly name = 'SecretKeys1796000120000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [LOCKS, COLUMNS, SECRET_KEYS, SAME_OWNER, SAME_ROLES]) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE users DROP COLUMN password_set_at;
      ALTER TABLE client_secrets DROP COLUMN key_id;
      ALTER TABLE api_keys DROP COLUMN key_id;
      DROP TABLE secret_keys;
    `);
  }
}

/** All steps that follow are quick. */
const LOCKS = lockTables('LOCK TABLE users, client_secrets, api_keys IN ACCESS EXCLUSIVE MODE');

const SECRET_KEYS = `
  CREATE TABLE secret_keys (
    key_id        text        NOT NULL,
    pepper_id     text        NOT NULL,
    first_made_at timestamptz NOT NULL,
    makes_since   timestamptz NOT NULL,
    last_made_at  timestamptz NOT NULL,
    refused_at    timestamptz,
    CONSTRAINT secret_keys_pkey PRIMARY KEY (key_id)
  );
`;

const COLUMNS = `
  ALTER TABLE api_keys ADD COLUMN key_id text;
  ALTER TABLE client_secrets ADD COLUMN key_id text;
  ALTER TABLE users ADD COLUMN password_set_at timestamptz;
`;

/** Everything new belongs to the owner of the tables, also when a superuser migrates for him. */
const SAME_OWNER = `
  DO $$ DECLARE owner text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'grants'::regclass); BEGIN
    IF owner <> current_user THEN
      EXECUTE format('ALTER TABLE secret_keys OWNER TO %I', owner);
    END IF;
  END $$;
`;

/**
 * A role that serves without owning anything (docs/operating.md) keeps working: it has the same rights here as on signing keys.
 */
const SAME_ROLES = `
  DO $$ DECLARE may record; BEGIN
    FOR may IN SELECT privilege_type AS what, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who
                 FROM pg_class, aclexplode(relacl)
                WHERE oid = 'signing_keys'::regclass AND grantee <> relowner
                  AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE') LOOP
      EXECUTE format('GRANT %s ON secret_keys TO %s', may.what, may.who);
    END LOOP;
  END $$;
`;
