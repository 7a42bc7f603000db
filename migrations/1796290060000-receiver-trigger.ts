import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner } from './as-grants.js';
import { lockTables } from './lock-tables.js';

/**
 * A trigger on the audit log writes down what receivers are told, in the transaction in which it happens: so nothing is lost
 * between the two, whoever acts. Without receivers, an ending costs a look into an empty table, and every other event costs the
 * comparison of its type.
 */
export class ReceiverTrigger1796290060000 implements MigrationInterface {
  readonly name = 'ReceiverTrigger1796290060000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, TELL, LOCK, TRIGGER, SAME_OWNER]) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER audit_events_receivers ON audit_events');
    await queryRunner.query('DROP FUNCTION keks_tell_receivers()');
  }
}

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/** With these reasons all grants of an owner end: receivers are told once about the owner, and not about each grant. */
const WITH_THE_OWNER = [
  'user_disabled',
  'user_revoked',
  'sessions_revoked',
  'client_disabled',
  'client_revoked',
];

/**
 * What receivers are told for each event: this is the one place that decides it. For a stolen token or code they are told of the
 * theft, and that its session is over.
 */
const TELL = `
  CREATE FUNCTION keks_tell_receivers() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  DECLARE
    reason      text := NEW.detail->>'reason';
    grant_kind  text;
    whose       uuid;
    of_client   text := NEW.detail->>'client_id';
    of_session  uuid;
    told        text[];
    more        jsonb := '{}';
  BEGIN
    IF NOT EXISTS (SELECT FROM receivers) THEN
      RETURN NULL;
    END IF;
    IF NEW.type LIKE 'user.%' OR NEW.type = 'login.throttled' THEN
      whose := NEW.detail->>'user_id';
      IF whose IS NULL THEN
        SELECT u.id INTO whose FROM users u WHERE u.name = NEW.detail->>'user';
      END IF;
    ELSIF NEW.grant_id IS NOT NULL THEN
      SELECT g.kind, g.user_id, g.client_id INTO grant_kind, whose, of_client FROM grants g WHERE g.id = NEW.grant_id;
      IF grant_kind IN ('login', 'consent') THEN
        of_session := NEW.grant_id;
      END IF;
    END IF;

    CASE NEW.type
      WHEN 'token.revoked' THEN
        told := '{token-revoked}';
        more := '{"token_type": "access_token", "token_identifier_alg": "plain"}';
      WHEN 'grant.revoked' THEN
        IF reason = ANY ('{${WITH_THE_OWNER.join(',')}}') AND (grant_kind <> 'api_key' OR reason <> 'sessions_revoked') THEN
          RETURN NULL;
        END IF;
        told := CASE grant_kind WHEN 'api_key' THEN '{credential-change}'::text[] WHEN 'client' THEN '{tokens-revoked}'
                                ELSE '{session-revoked}' END;
        IF grant_kind = 'api_key' THEN
          more := jsonb_build_object('credential_type', 'api_key', 'change_type', 'revoke', 'key_id', NEW.grant_id);
        END IF;
      WHEN 'refresh.replayed', 'code.replayed' THEN
        IF NOT (NEW.detail->>'grant_killed_now')::boolean THEN
          RETURN NULL;
        END IF;
        told := '{credential-compromise,session-revoked}';
        more := jsonb_build_object('credential_type', CASE NEW.type WHEN 'refresh.replayed' THEN 'refresh_token'
                                                                    ELSE 'authorization_code' END);
        reason := replace(NEW.type, '.', '_');
      WHEN 'user.disabled' THEN
        told := '{account-disabled}';
      WHEN 'user.sessions_revoked' THEN
        told := '{session-revoked}';
      WHEN 'user.revoked' THEN
        told := '{session-revoked,tokens-revoked}';
      WHEN 'user.password_changed' THEN
        told := '{credential-change}';
        more := '{"credential_type": "password", "change_type": "update"}';
      WHEN 'client.disabled' THEN
        told := '{client-disabled}';
      WHEN 'client.revoked' THEN
        told := '{tokens-revoked}';
      WHEN 'login.throttled' THEN
        told := '{login-throttled}';
        more := jsonb_build_object('limit', NEW.detail->>'limit');
    END CASE;
    IF whose IS NULL AND of_client IS NULL AND NEW.type <> 'login.throttled' THEN
      RETURN NULL;
    END IF;
    IF reason IS NOT NULL THEN
      more := more || jsonb_build_object('reason_admin', jsonb_build_object('en', reason));
    END IF;

    INSERT INTO undelivered_events (receiver_id, event, happened_at, txn, user_id, client_id, session_id, token_id, ip, claims)
    SELECT r.id, one.event, NEW.created_at, coalesce(NEW.request_id, NEW.id::text), whose, of_client, of_session, NEW.token_id,
           CASE WHEN one.event = 'login-throttled' THEN NEW.ip END,
           CASE WHEN one.event = 'session-revoked' THEN more - 'credential_type' ELSE more END
      FROM receivers r, unnest(told) WITH ORDINALITY AS one (event, nth)
     WHERE r.events IS NULL OR one.event = ANY (r.events)
     ORDER BY r.id, one.nth;
    RETURN NULL;
  END $$;
  REVOKE ALL ON FUNCTION keks_tell_receivers() FROM PUBLIC;
`;

/** Everybody who adds to the log waits for this lock, but not for long. */
const LOCK = lockTables('LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE');

const TOLD = [
  ...['token.revoked', 'grant.revoked', 'refresh.replayed', 'code.replayed'],
  ...['user.disabled', 'user.sessions_revoked', 'user.revoked', 'user.password_changed'],
  ...['client.disabled', 'client.revoked', 'login.throttled'],
];

const TRIGGER = `
  CREATE TRIGGER audit_events_receivers AFTER INSERT ON audit_events FOR EACH ROW
    WHEN (NEW.type IN (${TOLD.map((type) => `'${type}'`).join(', ')})) EXECUTE FUNCTION keks_tell_receivers();
`;

const SAME_OWNER = sameOwner('FUNCTION keks_tell_receivers()');
