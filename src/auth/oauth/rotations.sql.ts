import type { Statement } from '../../database/statement.js';
import { endedWithOwner } from '../grants/owner-ending.sql.js';
import type { RefreshRow } from './refresh.sql.js';

/** Fields as text. A token that somebody is using up, or that is not there, has no row. */
export type RotationRow = readonly [
  /** The place of the question in the batch, from 1. */
  at: string,
  /** The scope of the answer; NULL if the token was not rotated. */
  scope: string | null,
  /** The token's row as JSON, if the token was not rotated: see `toRefreshRow`. */
  found: string | null,
];

/** The usual case. Any other token needs another answer, and is judged alone. */
const FITS = `(seen.used_at IS NULL AND NOT seen.grant_revoked AND seen.grant_expires_at > $1
          AND seen.grant_expires_at >= greatest(seen.next_expires_at, seen.access_expires_at)
          AND seen.format = seen.made_as AND seen.client_id IS NOT DISTINCT FROM seen.presenter
          AND (seen.jkt IS NULL OR seen.jkt = seen.key)
          AND (seen.resource IS NULL OR seen.resource = seen.audience)
          AND (seen.asked IS NULL OR string_to_array(seen.asked, ' ') <@ string_to_array(seen.scope, ' ')))`;

/**
 * Like ROTATE, for many tokens at once, in one transaction that is committed to disk once. It never waits for a row: a
 * token that somebody is using up has no row in the answer. So nobody waits for another's token, and no two batches
 * wait for each other. The arrays have one length; from $2 on, each element belongs to one token.
 */
export const ROTATE_TOGETHER: Statement = {
  name: 'rotate_refresh_tokens',
  text: `
    WITH wanted AS MATERIALIZED (
      SELECT gen_random_uuid() AS next_id, gen_random_uuid() AS access_id, one.*
        FROM unnest($2::bytea[], $3::timestamptz[], $4::bytea[], $5::timestamptz[], $6::bytea[], $7::timestamptz[], $8::text[],
                    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[]) WITH ORDINALITY
          AS one (digest, expires_at, next_digest, next_expires_at, access_digest, access_expires_at, made_as,
                  asked, resource, presenter, key, next_key, ip, request_id, at)
    ), seen AS MATERIALIZED (
      SELECT wanted.*, r.id, r.grant_id, r.scope, r.audience, r.format, r.used_at, r.successor, r.successor_expires_at,
             r.answered_scope, r.jkt, g.user_id, g.client_id, g.expires_at AS grant_expires_at,
             g.revoked_at IS NOT NULL OR ${endedWithOwner('g')} AS grant_revoked, coalesce(wanted.asked, r.scope) AS answer
        FROM wanted JOIN refresh_tokens r ON r.digest = wanted.digest AND r.expires_at = wanted.expires_at
        JOIN grants g ON g.id = r.grant_id
         FOR NO KEY UPDATE OF r SKIP LOCKED
    ), used AS (
      UPDATE refresh_tokens r
         SET used_at = $1, successor = substring(seen.next_digest FROM 1 FOR 8), successor_expires_at = seen.next_expires_at,
             answered_scope = CASE seen.answer WHEN seen.scope THEN '' ELSE seen.answer END, scope = '', audience = ''
        FROM seen
       WHERE r.digest = seen.digest AND r.expires_at = seen.expires_at AND r.used_at IS NULL AND ${FITS}
      RETURNING seen.*
    ), successor AS (
      INSERT INTO refresh_tokens (id, digest, expires_at, grant_id, scope, audience, format, created_at, jkt)
      SELECT next_id, next_digest, next_expires_at, grant_id, scope, audience, format, $1, next_key FROM used
    ), token AS (
      INSERT INTO access_tokens (id, digest, expires_at, grant_id, user_id, client_id, scope, audience, format, created_at, jkt)
      SELECT access_id, access_digest, access_expires_at, grant_id, user_id, client_id, answer, audience, format, $1, key
        FROM used
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
      SELECT $1, 'token.refreshed', 'holder', grant_id, access_id, ip, request_id,
             jsonb_build_object('scope', answer, 'expires_at', access_expires_at, 'refresh_token_id', id,
                                'successor_id', next_id)
             || CASE WHEN key IS NULL THEN '{}' ELSE jsonb_build_object('jkt', key) END
        FROM used
    )
    SELECT at, answer, NULL FROM used
    UNION ALL
    SELECT at, NULL, json_build_object(
             'id', id, 'grant_id', grant_id, 'user_id', user_id, 'client_id', client_id, 'scope', scope, 'audience', audience,
             'format', format, 'used_at', date_part('epoch', used_at) * 1000, 'successor', encode(successor, 'hex'),
             'successor_expires_at', date_part('epoch', successor_expires_at) * 1000, 'answered_scope', answered_scope,
             'grant_expires_at', date_part('epoch', grant_expires_at) * 1000, 'grant_revoked', grant_revoked, 'jkt', jkt)::text
      FROM seen WHERE ${FITS} IS NOT TRUE`,
};

type Written = Omit<RefreshRow, 'used_at' | 'successor' | 'successor_expires_at' | 'grant_expires_at'> & {
  readonly [time in 'used_at' | 'successor_expires_at']: number | null;
} & { readonly successor: string | null; readonly grant_expires_at: number };

export function toRefreshRow(text: string): RefreshRow {
  const found = JSON.parse(text) as Written;
  return {
    ...found,
    used_at: dateOf(found.used_at),
    successor: found.successor === null ? null : Buffer.from(found.successor, 'hex'),
    successor_expires_at: dateOf(found.successor_expires_at),
    grant_expires_at: new Date(found.grant_expires_at),
  };
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
