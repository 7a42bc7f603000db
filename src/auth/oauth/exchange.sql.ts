import type { Statement } from '../../database/statement.js';
import { endedWithOwner } from '../grants/owner-ending.sql.js';
import { NOBODY } from '../tokens/token-lookup.sql.js';
import { standingGrant } from './client-tokens.sql.js';

/**
 * Checks again all that was judged, under locks that are held until the commit: the client as it was read ($1 to $3);
 * its standing grant, which is made if there is none; the subject token ($5, $6); the tokens that the subject token was
 * made from; and the grants of the clients that act in it. So whoever ends one of them comes before this statement, and
 * nothing is made, or after it, and sees what was made.
 * The grant of the whole chain, $7, needs no lock, because each look-up of a token asks about it. But guards are told
 * its end only if JWTs belong to it, so the first JWT marks the grant as `signed`.
 * $4 is now; $8 to $14 are of the new token: digest, expiry, scope, audience, format, key, subject.
 */
export const EXCHANGE_TOKEN: Statement = {
  name: 'exchange_token',
  text: `
    WITH owner AS (
      SELECT client_id FROM clients
       WHERE client_id = $1 AND scope = $2 AND resources = $3 AND token_exchange
         AND redirect_uris = '{}' AND NOT device_grant AND disabled_at IS NULL FOR SHARE
    ), ${standingGrant('$4')}, before AS (
      SELECT actors, actor_grants, sources, source_expires FROM token_exchanges WHERE digest = $5
    ), chain AS MATERIALIZED (
      SELECT array_prepend($1::text, coalesce(b.actors, '{}')) AS actors,
             coalesce(b.actor_grants, '{}') AS grants_before,
             array_prepend(acting.id, coalesce(b.actor_grants, '{}')) AS actor_grants,
             array_prepend($5::bytea, coalesce(b.sources, '{}')) AS sources,
             array_prepend($6::timestamptz, coalesce(b.source_expires, '{}')) AS source_expires
        FROM (SELECT id FROM standing UNION ALL SELECT id FROM made) AS acting LEFT JOIN before b ON true
    ), living_sources AS (
      SELECT t.id, t.digest FROM chain CROSS JOIN LATERAL unnest(chain.sources, chain.source_expires) AS s (digest, expires_at)
        JOIN access_tokens t ON t.digest = s.digest AND t.expires_at = s.expires_at AND t.revoked_at IS NULL
         FOR SHARE OF t
    ), living_actors AS (
      SELECT g.id FROM chain CROSS JOIN LATERAL unnest(chain.grants_before) AS one (id)
        JOIN grants g ON g.id = one.id AND g.revoked_at IS NULL
         FOR SHARE OF g
    ), living_grant AS (
      SELECT g.id, g.expires_at, $12 = 'jwt' AND g.signed IS FALSE AS is_first_jwt FROM grants g
       WHERE g.id = $7 AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $4)
         AND NOT ${endedWithOwner('g')}
    ), first_jwt AS (
      UPDATE grants SET signed = true FROM living_grant l, chain
       WHERE grants.id = l.id AND l.is_first_jwt AND grants.signed IS FALSE AND grants.revoked_at IS NULL
         AND grants.expires_at IS NOT DISTINCT FROM l.expires_at
      RETURNING grants.id
    ), granted AS MATERIALIZED (
      SELECT chain.*, living_grant.id AS grant_id, (SELECT id FROM living_sources WHERE digest = $5) AS source_id
        FROM chain, living_grant
       WHERE (SELECT count(*) FROM living_sources) = cardinality(chain.sources)
         AND (SELECT count(*) FROM living_actors) = cardinality(chain.grants_before)
         AND (NOT living_grant.is_first_jwt OR EXISTS (SELECT FROM first_jwt))
    ), token AS (
      INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, client_id, scope, audience, format, created_at, jkt)
      SELECT $8, $9, grant_id, '${NOBODY}', $1, $10, $11, $12, $4, $13 FROM granted
      RETURNING id
    ), exchanged AS (
      INSERT INTO token_exchanges (digest, expires_at, subject, signed, actors, actor_grants, sources, source_expires)
      SELECT $8, $9, $14, $12 = 'jwt', actors, actor_grants, sources, source_expires FROM granted
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $4, 'token.exchanged', 'client:' || $1, granted.grant_id, token.id, $15, $16,
           jsonb_build_object('scope', $10::text, 'format', $12::text, 'expires_at', $9::timestamptz, 'audience', $11::text,
                              'client_id', $1::text, 'subject_token_id', granted.source_id, 'actors', to_jsonb(granted.actors))
           || CASE WHEN $13::text IS NULL THEN '{}' ELSE jsonb_build_object('jkt', $13::text) END
      FROM granted, token
    RETURNING token_id`,
};
