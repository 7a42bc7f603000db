import { endedWithOwner } from '../grants/owner-ending.sql.js';
import type { Statement } from '../../database/statement.js';

export interface IssuedRow {
  /** Whether the proved password is still the owner's. */
  readonly proved: boolean;
  /** What the key may do; null if none was made, because the owner may not give that much. */
  readonly scope: string | null;
  readonly id: string | null;
  /** The owner has as many keys as are allowed. */
  readonly enough: boolean;
}

/**
 * For one user, because a statement sees only the keys that were there when it began. It is an advisory lock and not the
 * user's row, so that whoever ends all of the user's keys need not wait for it.
 */
export const ONE_KEY_AT_A_TIME: Statement = {
  name: 'one_api_key_at_a_time',
  text: `SELECT pg_advisory_xact_lock(${0x4b_45_59}, hashtext($1::text))`,
};

/**
 * A statement of its own, before the other one: only then does that one see, under the lock, whether the login has ended with
 * all of the owner's.
 */
export const SHARE_OWNER: Statement = {
  name: 'share_owner_of_api_key',
  text: `SELECT FROM users WHERE id = $1 FOR SHARE`,
};

/**
 * The owner's row is locked FOR SHARE, then the login that asks and its token: all are checked as they are under the lock.
 * Disabling the owner, revoking all their grants, taking scope from them or changing their password locks the row first, so
 * no key slips through between; and no key appears after the token that asked for it was revoked. A key gets at most the
 * scopes that the owner, the login and the token ($13) all have.
 */
export const ISSUE_API_KEY: Statement = {
  name: 'issue_api_key',
  text: `
    WITH owner AS (
      SELECT id, name, epoch, scope, password_hash = $12 AS proved
        FROM users WHERE id = $1 AND disabled_at IS NULL FOR SHARE
    ), login AS (
      SELECT g.id, g.scope FROM owner JOIN grants g ON g.user_id = owner.id
       WHERE g.id = $2 AND g.kind = 'login' AND g.revoked_at IS NULL AND g.expires_at > $8
         AND NOT ${endedWithOwner('g')} FOR SHARE OF g
    ), token AS (
      SELECT t.id FROM login JOIN access_tokens t ON t.grant_id = login.id
       WHERE t.digest = $14 AND t.expires_at = $15 AND t.revoked_at IS NULL FOR SHARE OF t
    ), held AS (
      SELECT count(*) >= $17 AS enough FROM grants g
       WHERE g.user_id = $1 AND g.kind = 'api_key' AND g.revoked_at IS NULL AND g.expires_at > $8
         AND NOT ${endedWithOwner('g')}
    ), most AS (
      SELECT ARRAY(SELECT one FROM unnest(string_to_array(owner.scope, ' ')) WITH ORDINALITY AS own (one, at)
                    WHERE one = ANY (string_to_array(login.scope, ' ')) AND one = ANY ($13::text[])
                    ORDER BY at) AS scope
        FROM owner, login, token WHERE owner.proved
    ), given AS (
      SELECT coalesce($3, array_to_string(scope, ' ')) AS scope FROM most
       WHERE $3::text IS NULL OR string_to_array($3, ' ') <@ most.scope
    ), made AS (
      INSERT INTO grants (kind, user_id, epoch, scope, label, expires_at, ip, user_agent, created_at)
      SELECT 'api_key', owner.id, owner.epoch, given.scope, $4, $5, $6, $7, $8 FROM owner, given, held
       WHERE NOT held.enough
      RETURNING id, scope
    ), key AS (
      INSERT INTO api_keys (digest, grant_id, expires_at, audience, created_at, key_id)
      SELECT $9, made.id, $5, $10, $8, $16 FROM made
      RETURNING id
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
      SELECT $8, 'api_key.issued', 'user:' || owner.name, made.id, key.id, $6, $11,
             jsonb_build_object('label', $4::text, 'scope', made.scope, 'expires_at', $5::timestamptz)
        FROM owner, made, key
    )
    SELECT owner.proved, made.id, made.scope, held.enough AND EXISTS (SELECT FROM given) AS enough
      FROM owner CROSS JOIN held CROSS JOIN token LEFT JOIN made ON true`,
};
