/**
 * Issues the tokens and writes the event, after a statement has used up a code or a device code. That statement is
 * `used` (grant_id, audience, user_id, client_id, scope). $2 is now; $3 and $4 are digest and expiry of the access
 * token; $5 is the format; $6 and $7 are digest and expiry of the refresh token, or NULL; $8 and $9 are address and ID
 * of the request; $10 and $11 are the keys that the access token and the refresh token are bound to.
 */
export const TOKENS_OF_USED = `
    token AS (
      INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, client_id, scope, audience, format, created_at, jkt)
      SELECT $3, $4, grant_id, user_id, client_id, scope, audience, $5, $2, $10 FROM used
      RETURNING id
    ), refresh AS (
      INSERT INTO refresh_tokens (digest, expires_at, grant_id, scope, audience, format, created_at, jkt)
      SELECT $6, $7, grant_id, scope, audience, $5, $2, $11 FROM used WHERE $6::bytea IS NOT NULL
      RETURNING id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $2, 'token.issued', 'client:' || used.client_id, used.grant_id, token.id, $8, $9,
           jsonb_build_object('scope', used.scope, 'format', $5::text, 'expires_at', $4::timestamptz,
                              'audience', used.audience, 'refresh_token_id', (SELECT id FROM refresh))
           || CASE WHEN $10::text IS NULL THEN '{}' ELSE jsonb_build_object('jkt', $10::text) END
      FROM used, token
    RETURNING token_id`;
