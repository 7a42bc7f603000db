import type { Statement } from '../../database/statement.js';

/** The one grant of the client in `owner`, whose scope is $2: locked, or made at `now`. */
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
 * The client's row is locked FOR SHARE and checked again, then its one standing grant, which is made if there is none.
 * `owner` tells a client that changed from a grant that somebody else was making at the same moment.
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
 * The same for many at once, in one transaction that is committed to disk once. Only what can be had without waiting: a
 * client or grant whose row somebody is changing, or a client without a standing grant, is left out and comes back in
 * `missed`, so that nobody waits for another's row. Arrays of one length, from $3 on one element a token; `missed` has
 * their places, from 1.
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
