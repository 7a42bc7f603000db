import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A validation reads two rows of big tables no more, but one: an access token says itself whom it speaks for, and that its
 * grant has ended stands in a small table. Tokens from before, and of a version before that runs beside this one, have no
 * owner in their row: they are looked up with their grant.
 */
export class EndedGrants1795392060000 implements MigrationInterface {
  readonly name = 'EndedGrants1795392060000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(LOCKS);
    await queryRunner.query(OWNER_IN_THE_TOKEN);
    await queryRunner.query(NO_PRIMARY_KEY);
    await queryRunner.query(
      `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`,
    );
    await queryRunner.query(
      makePartition(`
    IF parent = 'access_tokens' THEN
      EXECUTE format('ALTER TABLE %I REPLICA IDENTITY FULL', child);
    END IF;`),
    );
    await queryRunner.query(ENDED_GRANTS);
    await queryRunner.query(SAME_ROLES);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER grants_inserted ON grants;
      DROP TRIGGER grants_updated ON grants;
      DROP TRIGGER grants_deleted ON grants;
      DROP TRIGGER grants_truncated ON grants;
      DROP FUNCTION keks_note_grant_end();
      DROP TABLE ended_grants;
      ALTER TABLE access_tokens DROP COLUMN user_id, DROP COLUMN client_id,
        ADD CONSTRAINT access_tokens_pkey PRIMARY KEY (digest, expires_at);
    `);
    await queryRunner.query(
      `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`,
    );
    await queryRunner.query(makePartition(''));
  }
}

/**
 * All that follows is quick, but it excludes everybody, and whoever comes waits behind one who waits: so for a long reader,
 * as a dump is one, it steps back and tries again. Both locks together, or neither: others take them in the other order.
 */
const LOCKS = `
  SET LOCAL lock_timeout = '50ms';
  DO $$ BEGIN
    FOR attempt IN 1..600 LOOP
      BEGIN
        LOCK TABLE access_tokens IN ACCESS EXCLUSIVE MODE;
        LOCK TABLE grants IN SHARE ROW EXCLUSIVE MODE;
        RETURN;
      EXCEPTION WHEN lock_not_available THEN
        PERFORM pg_sleep(0.05 + random() * 0.1);
      END;
    END LOOP;
    RAISE EXCEPTION 'somebody has been reading access_tokens for a minute and more (a dump?): start again when that is over';
  END $$;
`;

const OWNER_IN_THE_TOKEN = `
  ALTER TABLE access_tokens ADD COLUMN user_id uuid, ADD COLUMN client_id text;
`;

/**
 * That no two tokens are the same is certain without a constraint. Whoever replicates updates by publication has to tell
 * rows apart without it.
 */
const NO_PRIMARY_KEY = `
  ALTER TABLE access_tokens DROP CONSTRAINT access_tokens_pkey;
  DO $$ DECLARE partition regclass; BEGIN
    FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'access_tokens'::regclass LOOP
      EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', partition);
    END LOOP;
  END $$;
`;

/** As in the first migration, and then what new partitions have beside it. */
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
 * What the tokens of a grant cannot know: that it was revoked, ends earlier than it did, or is gone. Kept by triggers in the
 * same transaction, so whoever ends a grant, this version, another or a person with psql, ends its tokens.
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
  BEGIN
    IF TG_OP = 'TRUNCATE' THEN
      DELETE FROM access_tokens;
      RETURN NULL;
    END IF;
    INSERT INTO ended_grants (grant_id, noted_at, revoked, ends_at)
    VALUES (coalesce(NEW.id, OLD.id), greatest(clock_timestamp(), NEW.revoked_at),
            TG_OP = 'DELETE' OR NEW.revoked_at IS NOT NULL, NEW.expires_at)
    ON CONFLICT (grant_id) DO UPDATE
       SET noted_at = excluded.noted_at, revoked = excluded.revoked, ends_at = excluded.ends_at;
    RETURN NULL;
  END $$;
  REVOKE ALL ON FUNCTION keks_note_grant_end() FROM PUBLIC;

  CREATE TRIGGER grants_inserted AFTER INSERT ON grants FOR EACH ROW
    WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION keks_note_grant_end();
  CREATE TRIGGER grants_updated AFTER UPDATE OF revoked_at, expires_at ON grants FOR EACH ROW
    WHEN (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at OR NEW.expires_at IS DISTINCT FROM OLD.expires_at)
    EXECUTE FUNCTION keks_note_grant_end();
  CREATE TRIGGER grants_deleted AFTER DELETE ON grants FOR EACH ROW
    WHEN (OLD.expires_at IS NULL OR OLD.expires_at > now()) EXECUTE FUNCTION keks_note_grant_end();
  CREATE TRIGGER grants_truncated AFTER TRUNCATE ON grants FOR EACH STATEMENT EXECUTE FUNCTION keks_note_grant_end();
`;

/** A role that serves without owning anything (docs/operating.md) goes on: it reads what it may read of grants, and purges. */
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
