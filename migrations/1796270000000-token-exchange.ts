import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * Tokens that were made from other tokens, for another API (RFC 8693): from which tokens, and who acts. The previous version
 * looks up such a token by its grant alone, and does not see that the grant of an actor has ended: let clients exchange tokens
 * only when no instance of that version is left.
 */
export class TokenExchange1796270000000 implements MigrationInterface {
  readonly name = 'TokenExchange1796270000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const steps = [LOCKS, SWITCH, EXCHANGES, KINDS, OWN_SEARCH_PATH, SOURCES, ACTORS, SAME_OWNER, SAME_ROLES];
    for (const step of steps) await queryRunner.query(step);
  }

  /**
   * Such tokens are deleted: without the row of its exchange, nobody would know with which other tokens and grants a token must
   * end.
   */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DELETE FROM access_tokens WHERE user_id = '00000000-0000-0000-0000-000000000000';
      DROP TRIGGER access_tokens_source_revocation ON access_tokens;
      DROP TRIGGER grants_actor_revocation ON grants;
      DROP TRIGGER grants_actor_deletion ON grants;
      DROP FUNCTION ${FUNCTIONS.join(', ')};
      DROP TABLE token_exchanges;
      UPDATE revocations SET kind = 'all', value = '' WHERE kind = 'actor';
      ALTER TABLE revocations DROP CONSTRAINT revocations_kind_check,
        ADD CONSTRAINT revocations_kind_check CHECK (kind IN ('token', 'grant', 'subject', 'key', 'all'));
      ALTER TABLE clients DROP COLUMN token_exchange;
    `);
  }
}

const FUNCTIONS = ['keks_log_source()', 'keks_log_actor()'];

/** In the order in which issuing takes the locks. All steps that follow are quick. */
const LOCKS = lockTables(
  'LOCK TABLE clients IN ACCESS EXCLUSIVE MODE',
  'LOCK TABLE access_tokens IN SHARE ROW EXCLUSIVE MODE',
  'LOCK TABLE grants IN SHARE ROW EXCLUSIVE MODE',
  'LOCK TABLE revocations IN ACCESS EXCLUSIVE MODE',
);

const SWITCH = `ALTER TABLE clients ADD COLUMN token_exchange boolean NOT NULL DEFAULT false`;

/** The newest entry of each list comes first. A row in `access_tokens` whose person is nobody has the rest of its facts here. */
const EXCHANGES = `
  CREATE TABLE token_exchanges (
    digest         bytea         NOT NULL,
    expires_at     timestamptz   NOT NULL,
    subject        text          NOT NULL,
    signed         boolean       NOT NULL,
    actors         text[]        NOT NULL,
    actor_grants   uuid[]        NOT NULL,
    sources        bytea[]       NOT NULL,
    source_expires timestamptz[] NOT NULL,
    CONSTRAINT token_exchanges_pkey PRIMARY KEY (digest)
  );
  CREATE INDEX token_exchanges_expires_at_idx ON token_exchanges (expires_at);
  CREATE INDEX token_exchanges_sources_idx ON token_exchanges USING gin (sources) WITH (fastupdate = off);
  CREATE INDEX token_exchanges_actor_grants_idx ON token_exchanges USING gin (actor_grants) WITH (fastupdate = off);
`;

/** Guards treat a kind that they do not know as `all`. */
const KINDS = `
  ALTER TABLE revocations DROP CONSTRAINT revocations_kind_check,
    ADD CONSTRAINT revocations_kind_check CHECK (kind IN ('token', 'grant', 'subject', 'actor', 'key', 'all')) NOT VALID;
  ALTER TABLE revocations VALIDATE CONSTRAINT revocations_kind_check;
`;

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/**
 * When a token ends, all tokens that were made from it end too. There may be thousands, so guards ask about the tokens of their
 * subject. Who exchanges a token holds its row until the exchange is visible to others.
 */
const SOURCES = `
  CREATE FUNCTION keks_log_source() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    INSERT INTO revocations (kind, value, subject, expires_at)
    SELECT 'subject', x.subject, x.subject, max(x.expires_at) FROM token_exchanges x
     WHERE x.sources @> ARRAY[NEW.digest] AND x.signed GROUP BY x.subject;
    RETURN NULL;
  END $$;

  CREATE TRIGGER access_tokens_source_revocation AFTER UPDATE OF revoked_at ON access_tokens FOR EACH ROW
    WHEN (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL) EXECUTE FUNCTION keks_log_source();
`;

/**
 * When the grant of a client ends, tokens with which the client acts end too: guards ask about tokens that name it as an actor.
 */
const ACTORS = `
  CREATE FUNCTION keks_log_actor() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  BEGIN
    IF EXISTS (SELECT FROM token_exchanges x WHERE x.actor_grants @> ARRAY[OLD.id] AND x.signed) THEN
      PERFORM keks_log_revocation('actor', OLD.client_id, OLD.client_id, 'infinity');
    END IF;
    RETURN NULL;
  END $$;

  CREATE TRIGGER grants_actor_revocation AFTER UPDATE OF id, revoked_at ON grants FOR EACH ROW
    WHEN (OLD.kind = 'client' AND (NEW.id <> OLD.id OR (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL)))
    EXECUTE FUNCTION keks_log_actor();
  CREATE TRIGGER grants_actor_deletion AFTER DELETE ON grants FOR EACH ROW
    WHEN (OLD.kind = 'client' AND OLD.revoked_at IS NULL) EXECUTE FUNCTION keks_log_actor();
`;

const SAME_OWNER =
  `REVOKE ALL ON FUNCTION ${FUNCTIONS.join(', ')} FROM PUBLIC;` +
  sameOwner('TABLE token_exchanges', ...FUNCTIONS.map((name) => `FUNCTION ${name}`));

const SAME_ROLES = sameRights(['token_exchanges'], ['SELECT', 'INSERT', 'UPDATE', 'DELETE']);
