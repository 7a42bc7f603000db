import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * A validation no longer reads two rows of big tables, but one: an access token itself says for whom it speaks, and a small table
 * says that its grant has ended. Tokens from before, and tokens of the previous version that runs beside this one, have no owner
 * in their row: they are looked up with their grant.
 */
export class EndedGrants1795392060000 implements MigrationInterface {
  readonly name = 'EndedGrants1795392060000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const steps = [LOCKS, OWNER_IN_THE_TOKEN, NO_PRIMARY_KEY, OWN_SEARCH_PATH, makePartition(REPLICABLE)];
    steps.push(ENDED_GRANTS, ALL_GRANTS_GONE, NOTES_OF_A_DUMP, SAME_OWNER, SAME_ROLES);
    for (const step of steps) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER grants_inserted ON grants;
      DROP TRIGGER grants_updated ON grants;
      DROP TRIGGER grants_deleted ON grants;
      DROP TRIGGER grants_truncated ON grants;
      DROP TABLE ended_grants;
      DROP FUNCTION keks_note_grant_end(), keks_drop_all_tokens(), keks_replace_note();
      ALTER TABLE access_tokens DROP COLUMN user_id, DROP COLUMN client_id,
        ADD CONSTRAINT access_tokens_pkey PRIMARY KEY (digest, expires_at);
    `);
    await queryRunner.query(OWN_SEARCH_PATH);
    await queryRunner.query(makePartition(''));
  }
}

/** All steps that follow are quick. An attempt takes both locks or neither, because others take them in the other order. */
const LOCKS = lockTables(
  'LOCK TABLE access_tokens IN ACCESS EXCLUSIVE MODE',
  'LOCK TABLE grants IN SHARE ROW EXCLUSIVE MODE',
);

const OWNER_IN_THE_TOKEN = `
  ALTER TABLE access_tokens ADD COLUMN user_id uuid, ADD COLUMN client_id text;
`;

/**
 * Tokens are unique without a constraint. But a publication that replicates updates still has to tell rows apart: FULL does that
 * without the key.
 */
const NO_PRIMARY_KEY = `
  ALTER TABLE access_tokens DROP CONSTRAINT access_tokens_pkey;
  DO $$ DECLARE partition regclass; BEGIN
    FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'access_tokens'::regclass LOOP
      EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', partition);
    END LOOP;
  END $$;
`;

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

const REPLICABLE = `
    IF parent = 'access_tokens' THEN
      EXECUTE format('ALTER TABLE %I REPLICA IDENTITY FULL', child);
    END IF;`;

/** The same as in the first migration, and then what new partitions need in addition. */
const makePartition = (finish: string): string => `
  CREATE OR REPLACE FUNCTION keks_make_partition(parent text, lower timestamptz, upper timestamptz) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
  DECLARE
    child text := parent || '_' || to_char(lower, 'YYYYMMDD');
    key   text := CASE parent WHEN 'access_tokens' THEN 'expires_at' WHEN 'refresh_tokens' THEN 'expires_at'
                              WHEN 'audit_events' THEN 'created_at' END;
  BEGIN
    IF key IS NULL OR lower >= upper THEN
      RAISE EXCEPTION 'not a table that Keks partitions, or an empty range: %', parent;
    END IF;
    IF to_regclass(quote_ident(child)) IS NOT NULL THEN
      RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', parent || '_default');
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', parent || '_default', key, lower, key, upper, child);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, lower, upper);${finish}
    RETURN true;
  END $$;
`;

/**
 * What the tokens of a grant cannot know: that the grant was revoked, ends earlier than before, or is gone. Triggers keep it in
 * the same transaction, so a grant's end always ends its tokens, whether this version, another version or a person with psql ends
 * it. A login that is deleted after its end leaves no note: none of its tokens lives longer. A client's grant has no end that its
 * tokens know.
 */
const ENDED_GRANTS = `
  CREATE TABLE ended_grants (
    grant_id uuid        NOT NULL,
    noted_at timestamptz NOT NULL,
    revoked  boolean     NOT NULL,
    ends_at  timestamptz,
    CONSTRAINT ended_grants_pkey PRIMARY KEY (grant_id)
  );
  CREATE INDEX ended_grants_grant_id_idx ON ended_grants USING hash (grant_id);
  CREATE INDEX ended_grants_noted_at_idx ON ended_grants (noted_at);

  CREATE FUNCTION keks_note_grant_end() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  DECLARE
    grant_id uuid := CASE TG_OP WHEN 'INSERT' THEN NEW.id ELSE OLD.id END;
  BEGIN
    IF TG_OP = 'INSERT' AND NEW.revoked_at IS NULL AND (NEW.expires_at IS NULL OR NEW.expires_at > now())
       AND NOT EXISTS (SELECT FROM ended_grants e WHERE e.grant_id = NEW.id) THEN
      RETURN NULL;
    END IF;
    INSERT INTO ended_grants VALUES
      (grant_id, greatest(clock_timestamp(), NEW.revoked_at),
       TG_OP = 'DELETE' OR NEW.id <> grant_id OR NEW.revoked_at IS NOT NULL, NEW.expires_at)
    ON CONFLICT ON CONSTRAINT ended_grants_pkey DO UPDATE
       SET noted_at = excluded.noted_at, revoked = excluded.revoked, ends_at = excluded.ends_at;
    RETURN NULL;
  END $$;

  CREATE TRIGGER grants_inserted AFTER INSERT ON grants FOR EACH ROW EXECUTE FUNCTION keks_note_grant_end();
  CREATE TRIGGER grants_updated AFTER UPDATE OF id, revoked_at, expires_at ON grants FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.revoked_at IS DISTINCT FROM OLD.revoked_at
          OR NEW.expires_at IS DISTINCT FROM OLD.expires_at)
    EXECUTE FUNCTION keks_note_grant_end();
  CREATE TRIGGER grants_deleted AFTER DELETE ON grants FOR EACH ROW
    WHEN (OLD.kind = 'client' OR OLD.expires_at IS NULL OR OLD.expires_at > now()) EXECUTE FUNCTION keks_note_grant_end();
`;

/** TRUNCATE is an emergency step, done by hand: no token survives it. A snapshot from before would not see the newest tokens. */
const ALL_GRANTS_GONE = `
  CREATE FUNCTION keks_drop_all_tokens() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      RAISE EXCEPTION 'grants may be truncated in a READ COMMITTED transaction only';
    END IF;
    DELETE FROM access_tokens;
    RETURN NULL;
  END $$;

  CREATE TRIGGER grants_truncated AFTER TRUNCATE ON grants
    FOR EACH STATEMENT EXECUTE FUNCTION keks_drop_all_tokens();
`;

/**
 * Rows of a dump come in any order. If the grants came first, their notes are there already: the notes of the dump replace them.
 */
const NOTES_OF_A_DUMP = `
  CREATE FUNCTION keks_replace_note() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    DELETE FROM ended_grants WHERE grant_id = NEW.grant_id;
    RETURN NEW;
  END $$;

  CREATE TRIGGER ended_grants_loaded BEFORE INSERT ON ended_grants FOR EACH ROW
    WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keks_replace_note();
`;

/** Everything new belongs to the owner of the tables, also when a superuser migrates for him. */
const SAME_OWNER = `
  REVOKE ALL ON FUNCTION keks_note_grant_end(), keks_drop_all_tokens(), keks_replace_note() FROM PUBLIC;
  DO $$ DECLARE owner text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'grants'::regclass); BEGIN
    IF owner <> current_user THEN
      EXECUTE format('ALTER TABLE ended_grants OWNER TO %I', owner);
      EXECUTE format('ALTER FUNCTION keks_note_grant_end() OWNER TO %I', owner);
      EXECUTE format('ALTER FUNCTION keks_drop_all_tokens() OWNER TO %I', owner);
      EXECUTE format('ALTER FUNCTION keks_replace_note() OWNER TO %I', owner);
    END IF;
  END $$;
`;

/**
 * A role that serves without owning anything (docs/operating.md) keeps working: it may read the notes if it may read grants, and
 * purge them if it may delete grants.
 */
const SAME_ROLES = `
  DO $$ DECLARE may record; BEGIN
    FOR may IN SELECT privilege_type AS what, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who
                 FROM pg_class, aclexplode(relacl)
                WHERE oid = 'grants'::regclass AND grantee <> relowner
                  AND privilege_type IN ('SELECT', 'DELETE') LOOP
      EXECUTE format('GRANT %s ON ended_grants TO %s', may.what, may.who);
    END LOOP;
  END $$;
`;
