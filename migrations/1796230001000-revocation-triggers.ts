import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * Triggers write down what ends a living JWT, in the transaction that ends it. So guards that check JWTs alone are told, whether
 * this version, the previous version beside it, or a person with psql ends the JWT.
 */
export class RevocationTriggers1796230001000 implements MigrationInterface {
  readonly name = 'RevocationTriggers1796230001000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const steps = [
      LOCKS,
      OWN_SEARCH_PATH,
      TOKENS,
      GRANTS,
      OWNERS,
      CLIENTS,
      KEYS,
      dropAllTokens(EVERYTHING),
      SAME_OWNER,
    ];
    for (const step of steps) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(OWN_SEARCH_PATH);
    await queryRunner.query(dropAllTokens(''));
    await queryRunner.query(`
      DROP TRIGGER access_tokens_revocation ON access_tokens;
      DROP TRIGGER grants_revocation ON grants;
      DROP TRIGGER grants_deletion ON grants;
      DROP TRIGGER owner_endings_revocation ON owner_endings;
      DROP TRIGGER clients_disabled ON clients;
      DROP TRIGGER signing_keys_revocation ON signing_keys;
      DROP TRIGGER signing_keys_deletion ON signing_keys;
      DROP FUNCTION ${FUNCTIONS.join(', ')};
    `);
  }
}

const TRIGGERS = ['log_token', 'log_grant', 'log_owner', 'end_disabled_client', 'log_key'];
const FUNCTIONS = [
  'keks_log_revocation(text, text, text, timestamptz)',
  ...TRIGGERS.map((one) => `keks_${one}()`),
];

/** In the order in which issuing takes the locks. All steps that follow are quick. */
const LOCKS = lockTables(
  'LOCK TABLE clients, owner_endings, signing_keys IN SHARE ROW EXCLUSIVE MODE',
  'LOCK TABLE access_tokens IN SHARE ROW EXCLUSIVE MODE',
  'LOCK TABLE grants IN SHARE ROW EXCLUSIVE MODE',
);

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/** No JWT lives longer than a week. */
const TOKENS = `
  CREATE FUNCTION keks_log_revocation(what text, which text, whose text, ends timestamptz) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    INSERT INTO revocations (kind, value, subject, expires_at)
    VALUES (what, which, whose, least(ends, now() + interval '7 days'))
  $$;

  CREATE FUNCTION keks_log_token() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    INSERT INTO revocations (kind, value, subject, expires_at)
    VALUES ('token', translate(encode(NEW.digest, 'base64'), '+/=', '-_'), coalesce(NEW.user_id::text, NEW.client_id),
            NEW.expires_at);
    RETURN NULL;
  END $$;

  CREATE TRIGGER access_tokens_revocation AFTER UPDATE OF revoked_at ON access_tokens FOR EACH ROW
    WHEN (NEW.format = 'jwt' AND NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL)
    EXECUTE FUNCTION keks_log_token();
`;

/**
 * A grant that an ending of all the owner's grants covers was reported with that ending: when the single rows are written later,
 * it is not reported again.
 */
const COVERED = `
    IF EXISTS (SELECT FROM owner_endings x
                WHERE x.user_id = OLD.user_id AND x.epoch >= coalesce(OLD.epoch, 0) AND OLD.kind = ANY (x.kinds)
                  AND OLD.id IS DISTINCT FROM x.except_grant_id
                  AND NOT coalesce(string_to_array(OLD.scope, ' ') <@ x.beyond, false)) THEN
      RETURN NULL;
    END IF;`;

/** If a grant only gets an earlier end, guards ask about all tokens of its owner. */
const GRANTS = `
  CREATE FUNCTION keks_log_grant() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  DECLARE
    owner text := coalesce(OLD.user_id::text, OLD.client_id);
    ends  timestamptz := coalesce(OLD.expires_at, 'infinity');
  BEGIN
    ${COVERED}
    IF TG_OP = 'DELETE' OR NEW.id <> OLD.id OR NEW.revoked_at IS NOT NULL THEN
      PERFORM keks_log_revocation('grant', OLD.id::text, owner, ends);
    ELSE
      PERFORM keks_log_revocation('subject', owner, owner, ends);
    END IF;
    RETURN NULL;
  END $$;

  CREATE TRIGGER grants_revocation AFTER UPDATE OF id, revoked_at, expires_at ON grants FOR EACH ROW
    WHEN (OLD.kind <> 'api_key' AND OLD.signed IS DISTINCT FROM false
          AND (NEW.id <> OLD.id OR (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL)
               OR coalesce(NEW.expires_at, 'infinity') < coalesce(OLD.expires_at, 'infinity')))
    EXECUTE FUNCTION keks_log_grant();
  CREATE TRIGGER grants_deletion AFTER DELETE ON grants FOR EACH ROW
    WHEN (OLD.kind <> 'api_key' AND OLD.signed IS DISTINCT FROM false AND OLD.revoked_at IS NULL
          AND (OLD.expires_at IS NULL OR OLD.expires_at > now()))
    EXECUTE FUNCTION keks_log_grant();
`;

const OWNERS = `
  CREATE FUNCTION keks_log_owner() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    PERFORM keks_log_revocation('subject', NEW.user_id::text, NEW.user_id::text, 'infinity');
    RETURN NULL;
  END $$;

  CREATE TRIGGER owner_endings_revocation AFTER INSERT ON owner_endings FOR EACH ROW
    WHEN ('login' = ANY (NEW.kinds) OR 'consent' = ANY (NEW.kinds)) EXECUTE FUNCTION keks_log_owner();
`;

/** For a client that is disabled with psql. The trigger runs at the commit: by then this version has ended the grant already. */
const CLIENTS = `
  CREATE FUNCTION keks_end_disabled_client() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    UPDATE grants SET revoked_at = clock_timestamp(), revoked_reason = 'client_disabled'
     WHERE client_id = NEW.client_id AND revoked_at IS NULL;
    RETURN NULL;
  END $$;

  CREATE CONSTRAINT TRIGGER clients_disabled AFTER UPDATE OF disabled_at ON clients DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL)
    EXECUTE FUNCTION keks_end_disabled_client();
`;

/** Removing a key ends nothing if all that the key has signed is over. */
const KEYS = `
  CREATE FUNCTION keks_log_key() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    PERFORM keks_log_revocation('key', OLD.kid, NULL, 'infinity');
    RETURN NULL;
  END $$;

  CREATE TRIGGER signing_keys_revocation AFTER UPDATE OF retires_at ON signing_keys FOR EACH ROW
    WHEN (coalesce(NEW.retires_at, 'infinity') < coalesce(OLD.retires_at, 'infinity')
          AND NEW.retires_at < now() + interval '7 days')
    EXECUTE FUNCTION keks_log_key();
  CREATE TRIGGER signing_keys_deletion AFTER DELETE ON signing_keys FOR EACH ROW
    WHEN (OLD.retires_at IS NULL OR OLD.retires_at > now()) EXECUTE FUNCTION keks_log_key();
`;

const EVERYTHING = `
    PERFORM keks_log_revocation('all', '', NULL, 'infinity');`;

/** The same as in the migration of ended grants, and then a row for the guards. */
const dropAllTokens = (more: string): string => `
  CREATE OR REPLACE FUNCTION keks_drop_all_tokens() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      RAISE EXCEPTION 'grants may be truncated in a READ COMMITTED transaction only';
    END IF;
    DELETE FROM access_tokens;${more}
    RETURN NULL;
  END $$;
`;

const SAME_OWNER =
  `REVOKE ALL ON FUNCTION ${FUNCTIONS.join(', ')} FROM PUBLIC;` +
  sameOwner(...FUNCTIONS.map((name) => `FUNCTION ${name}`));
