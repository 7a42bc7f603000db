import type { Statement } from '../../database/database.js';

/**
 * The user's row is locked FOR SHARE and what was verified is checked again under that lock. Disabling locks the row
 * first and revokes grants as a second statement, so nothing slips through between.
 */
export const ISSUE_TO_USER: Statement = {
  name: 'issue_to_user',
  text: `
    WITH owner AS (
      SELECT id, name FROM users
       WHERE id = $1 AND password_hash = $2 AND scope = $3 AND disabled_at IS NULL FOR SHARE
    ), login AS (
      INSERT INTO grants (kind, user_id, scope, expires_at, ip, user_agent, created_at)
      SELECT 'login', owner.id, $4, $5::timestamptz, $9, $10, $12::timestamptz FROM owner
      RETURNING id
    ), token AS (
      INSERT INTO access_tokens (digest, expires_at, grant_id, scope, audience, format, created_at)
      SELECT $6::bytea, $5::timestamptz, login.id, $4, $7, $8, $12::timestamptz FROM login
      RETURNING id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $12::timestamptz, 'token.issued', 'user:' || owner.name, login.id, token.id, $9, $11,
           jsonb_build_object('scope', $4::text, 'format', $8::text)
      FROM owner, login, token
    RETURNING token_id`,
};

export const REVOKE_ACCESS_TOKEN: Statement = {
  name: 'revoke_access_token',
  text: `
    WITH token AS (
      UPDATE access_tokens SET revoked_at = $3
       WHERE digest = $1 AND expires_at = $2 AND revoked_at IS NULL
      RETURNING id, grant_id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id)
    SELECT $3, 'token.revoked', 'holder', token.grant_id, token.id, $4, $5 FROM token
    RETURNING token_id`,
};
