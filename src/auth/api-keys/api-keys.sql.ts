import type { Statement } from '../../database/database.js';
import type { Positioned } from '../cursor.js';

export interface IssuedRow {
  /** What the key may do; null if the owner may not give that much. */
  readonly scope: string | null;
  readonly id: string | null;
}

/**
 * The owner's row is locked FOR SHARE, then the login that asks: both are checked as they are under the lock. Disabling
 * the owner, revoking all of his grants or taking scope from him locks his row first, so no key slips through between.
 */
export const ISSUE_API_KEY: Statement = {
  name: 'issue_api_key',
  text: `
    WITH owner AS (
      SELECT id, name, coalesce($3, scope) AS wanted,
             string_to_array(coalesce($3, scope), ' ') <@ string_to_array(scope, ' ') AS allowed
        FROM users WHERE id = $1 AND disabled_at IS NULL FOR SHARE
    ), login AS (
      SELECT g.id FROM owner JOIN grants g ON g.user_id = owner.id
       WHERE g.id = $2 AND g.kind = 'login' AND g.revoked_at IS NULL FOR SHARE OF g
    ), made AS (
      INSERT INTO grants (kind, user_id, scope, label, expires_at, ip, user_agent, created_at)
      SELECT 'api_key', owner.id, owner.wanted, $4, $5, $6, $7, $8 FROM owner, login WHERE owner.allowed
      RETURNING id, scope
    ), key AS (
      INSERT INTO api_keys (digest, grant_id, expires_at, audience, created_at)
      SELECT $9, made.id, $5, $10, $8 FROM made
      RETURNING id
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
      SELECT $8, 'api_key.issued', 'user:' || owner.name, made.id, key.id, $6, $11,
             jsonb_build_object('label', $4::text, 'scope', made.scope, 'expires_at', $5::timestamptz)
        FROM owner, made, key
    )
    SELECT made.id, made.scope FROM login LEFT JOIN made ON true`,
};

export interface ApiKeyRow extends Positioned {
  readonly id: string;
  readonly label: string;
  readonly scope: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly last_used_at: Date | null;
}

export const LIST_API_KEYS: Statement = {
  name: 'list_api_keys',
  text: `
    SELECT id, label, scope, created_at, expires_at, last_used_at, ARRAY[created_at::text, id::text] AS position
      FROM grants
     WHERE user_id = $1 AND kind = 'api_key' AND revoked_at IS NULL AND expires_at > $2
       AND (created_at, id) < ($3::timestamptz, $4::uuid)
     ORDER BY grants.created_at DESC, grants.id DESC LIMIT $5`,
};
