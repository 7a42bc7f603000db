import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTables } from './lock-tables.js';

/**
 * However many grants an owner has, one row ends all of them, and every look-up sees that row. The user has an epoch, each grant
 * has the epoch in which it was made, and an ending covers grants of its epoch and of earlier ones. The single rows can then be
 * written slowly.
 */
export class OwnerEndings1796000060000 implements MigrationInterface {
  readonly name = 'OwnerEndings1796000060000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const steps = [LOCKS, EPOCHS, OWNER_ENDINGS, OWN_SEARCH_PATH, EPOCH_OF_OLD_PROGRAMS, DISABLED_BY_HAND];
    for (const step of [...steps, SAME_OWNER, SAME_ROLES]) await queryRunner.query(step);
  }

  /** Endings that are not yet in the rows of the grants are written there first. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE grants g SET revoked_at = x.ended_at, revoked_reason = x.reason
        FROM owner_endings x
       WHERE x.user_id = g.user_id AND x.epoch >= coalesce(g.epoch, 0) AND g.kind = ANY (x.kinds)
         AND g.id IS DISTINCT FROM x.except_grant_id
         AND NOT coalesce(string_to_array(g.scope, ' ') <@ x.beyond, false)
         AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > x.ended_at);
      DROP TRIGGER users_disabled ON users;
      DROP TRIGGER grants_without_epoch ON grants;
      DROP TABLE owner_endings;
      DROP FUNCTION keks_end_disabled_user(), keks_set_grant_epoch();
      ALTER TABLE grants DROP COLUMN epoch;
      ALTER TABLE users DROP COLUMN epoch;
    `);
  }
}

/** In the order in which issuing takes the locks. All steps that follow are quick. */
const LOCKS = lockTables(
  'LOCK TABLE users IN ACCESS EXCLUSIVE MODE',
  'LOCK TABLE grants IN ACCESS EXCLUSIVE MODE',
);

/** No row is rewritten: a grant from before has no epoch, which counts as the first epoch. */
const EPOCHS = `
  ALTER TABLE users ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
  ALTER TABLE grants ADD COLUMN epoch bigint;
`;

/**
 * Almost always empty. A row comes with each ending of many grants, and goes when all of these grants are marked as ended;
 * meanwhile it is updated again and again. The storage settings keep the updates in place: every validation would have to look at
 * dead entries of the index.
 */
const OWNER_ENDINGS = `
  CREATE TABLE owner_endings (
    id              uuid        NOT NULL DEFAULT gen_random_uuid(),
    user_id         uuid        NOT NULL,
    epoch           bigint      NOT NULL,
    kinds           text[]      NOT NULL,
    except_grant_id uuid,
    beyond          text[],
    ended_at        timestamptz NOT NULL,
    reason          text        NOT NULL,
    actor           text,
    ip              text,
    request_id      text,
    swept_to        uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    CONSTRAINT owner_endings_pkey PRIMARY KEY (id),
    CONSTRAINT owner_endings_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
  ) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0);
  CREATE INDEX owner_endings_user_id_idx ON owner_endings (user_id);
`;

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/** The previous version, which may run beside this one, issues grants without an epoch. Issuing already holds this lock. */
const EPOCH_OF_OLD_PROGRAMS = `
  CREATE FUNCTION keks_set_grant_epoch() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    SELECT u.epoch INTO NEW.epoch FROM users u WHERE u.id = NEW.user_id FOR SHARE;
    RETURN NEW;
  END $$;

  CREATE TRIGGER grants_without_epoch BEFORE INSERT ON grants FOR EACH ROW
    WHEN (NEW.epoch IS NULL AND NEW.user_id IS NOT NULL) EXECUTE FUNCTION keks_set_grant_epoch();
`;

/**
 * For a user who is disabled with psql, or by the previous version. This version ends the grants itself, and changes the epoch to
 * say so.
 */
const DISABLED_BY_HAND = `
  CREATE FUNCTION keks_end_disabled_user() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    INSERT INTO owner_endings (user_id, epoch, kinds, ended_at, reason, actor)
    VALUES (OLD.id, OLD.epoch, '{login,api_key}', clock_timestamp(), 'user_disabled', 'operator');
    NEW.epoch := OLD.epoch + 1;
    RETURN NEW;
  END $$;

  CREATE TRIGGER users_disabled BEFORE UPDATE OF disabled_at ON users FOR EACH ROW
    WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL AND NEW.epoch = OLD.epoch)
    EXECUTE FUNCTION keks_end_disabled_user();
`;

/** Everything new belongs to the owner of the tables, also when a superuser migrates for him. */
const SAME_OWNER = `
  REVOKE ALL ON FUNCTION keks_set_grant_epoch(), keks_end_disabled_user() FROM PUBLIC;
  DO $$ DECLARE owner text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'grants'::regclass); BEGIN
    IF owner <> current_user THEN
      EXECUTE format('ALTER TABLE owner_endings OWNER TO %I', owner);
      EXECUTE format('ALTER FUNCTION keks_set_grant_epoch() OWNER TO %I', owner);
      EXECUTE format('ALTER FUNCTION keks_end_disabled_user() OWNER TO %I', owner);
    END IF;
  END $$;
`;

/**
 * A role that serves without owning anything (docs/operating.md) keeps working: a role that may end grants may end all grants of
 * an owner.
 */
const SAME_ROLES = `
  DO $$ DECLARE may record; BEGIN
    FOR may IN SELECT privilege_type AS what, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who
                 FROM pg_class, aclexplode(relacl)
                WHERE oid = 'grants'::regclass AND grantee <> relowner
                  AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') LOOP
      EXECUTE format('GRANT %s ON owner_endings TO %s', may.what, may.who);
    END LOOP;
  END $$;
`;
