import type { Statement } from '../../database/statement.js';

/** Locks the one standing grant of the client in `owner`, or makes it at `now` with the scope $2. */
export const standingGrant = (now: string): string => `standing AS (
      SELECT g.id FROM owner JOIN grants g
          ON g.client_id = owner.client_id AND g.kind = 'client' AND g.revoked_at IS NULL
         FOR SHARE OF g
    ), made AS (
      INSERT INTO grants (kind, client_id, scope, created_at)
      SELECT 'client', owner.client_id, $2, ${now} FROM owner WHERE NOT EXISTS (SELECT FROM standing)
      ON CONFLICT DO NOTHING
      RETURNING id
    )`;

/**
 * Locks the client's row FOR SHARE and checks it again. Then locks the client's one standing grant, or makes it. If no
 * token was issued, `owner` tells why: false, the client has changed; true, another statement was making the grant at
 * the same moment.
 */
export const ISSUE_TO_CLIENT: Statement = {
  name: 'issue_to_client',
  text: `
    WITH owner AS (
      SELECT client_id FROM clients WHERE client_id = $1 AND scope = $2 AND redirect_uris = '{}' AND NOT device_grant AND disabled_at IS NULL FOR SHARE
    ), ${standingGrant('$3')}, token AS (
      INSERT INTO access_tokens (digest, expires_at, grant_id, client_id, scope, audience, format, created_at, jkt)
      SELECT $4, $5, id, $1, $6, $7, $8, $3, $12 FROM (SELECT id FROM standing UNION ALL SELECT id FROM made) AS g
      RETURNING id, grant_id
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
      SELECT $3, 'token.issued', coalesce($11, 'client:' || $1), token.grant_id, token.id, $9, $10,
             jsonb_build_object('scope', $6::text, 'format', $8::text, 'audience', $7::text)
             || CASE WHEN $11::text IS NULL THEN '{}' ELSE jsonb_build_object('client_id', $1::text) END
             || CASE WHEN $12::text IS NULL THEN '{}' ELSE jsonb_build_object('jkt', $12::text) END
        FROM token
    )
    SELECT EXISTS (SELECT FROM owner) AS owner, EXISTS (SELECT FROM token) AS issued`,
};

/**
 * Like ISSUE_TO_CLIENT, for many tokens at once, in one transaction that is committed to disk once. It never waits for
 * a row: if somebody is changing a client's or a grant's row, or a client has no standing grant, the token is left out
 * and its place comes back in `missed`. The arrays have one length; from $2 on, each element belongs to one token. The
 * places in `missed` count from 1.
 */
export const ISSUE_TO_CLIENTS: Statement = {
  name: 'issue_to_clients',
  text: `
    WITH wanted AS MATERIALIZED (
      SELECT gen_random_uuid() AS token_id, one.*
        FROM unnest($2::text[], $3::text[], $4::bytea[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
                    $9::text[], $10::text[], $11::text[], $12::text[]) WITH ORDINALITY
          AS one (client_id, client_scope, digest, expires_at, scope, audience, format, ip, request_id, actor, jkt, at)
    ), owner AS (
      SELECT client_id, scope FROM clients WHERE client_id = ANY ($2) AND redirect_uris = '{}' AND NOT device_grant AND disabled_at IS NULL
         FOR SHARE SKIP LOCKED
    ), standing AS (
      SELECT g.id AS grant_id, owner.client_id, owner.scope AS client_scope FROM owner JOIN grants g
          ON g.client_id = owner.client_id AND g.kind = 'client' AND g.revoked_at IS NULL
         FOR SHARE OF g SKIP LOCKED
    ), granted AS MATERIALIZED (
      SELECT * FROM wanted JOIN standing USING (client_id, client_scope)
    ), token AS (
      INSERT INTO access_tokens (id, digest, expires_at, grant_id, client_id, scope, audience, format, created_at, jkt)
      SELECT token_id, digest, expires_at, grant_id, client_id, scope, audience, format, $1, jkt FROM granted
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
      SELECT $1, 'token.issued', coalesce(actor, 'client:' || client_id), grant_id, token_id, ip, request_id,
             jsonb_build_object('scope', scope, 'format', format, 'audience', audience)
             || CASE WHEN actor IS NULL THEN '{}' ELSE jsonb_build_object('client_id', client_id) END
             || CASE WHEN jkt IS NULL THEN '{}' ELSE jsonb_build_object('jkt', jkt) END
        FROM granted
    )
    SELECT ARRAY(SELECT at::int FROM wanted WHERE NOT EXISTS (SELECT FROM granted WHERE granted.at = wanted.at))
           AS missed`,
};
