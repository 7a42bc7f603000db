import { endedWithOwner } from '../grants/owner-ending.sql.js';
import { timestamp } from '../../database/clock.js';
import type { Queries, Statement } from '../../database/statement.js';
import type { ReadToken } from '../tokens/read-token.js';
import type { TokenFormat } from '../tokens/token-format.js';

/**
 * A refresh cannot be one statement: the loser of a race does not see what the winner has just inserted. So there are
 * three statements: rotate, replay or kill.
 */

export interface RefreshRow {
  readonly id: string;
  readonly grant_id: string;
  readonly user_id: string;
  /** Null for the token of a login, which belongs to the first-party client. */
  readonly client_id: string | null;
  readonly scope: string;
  readonly audience: string;
  readonly format: TokenFormat;
  readonly used_at: Date | null;
  /** The first 8 bytes of the successor's digest. */
  readonly successor: Buffer | null;
  readonly successor_expires_at: Date | null;
  /** Empty: all that the successor carries. */
  readonly answered_scope: string | null;
  readonly grant_expires_at: Date;
  readonly grant_revoked: boolean;
  /**
   * Thumbprint of the key whose proof must come with the token; null if it is not bound, as for every client that
   * authenticates.
   */
  readonly jkt: string | null;
}

const FIND_REFRESH_TOKEN: Statement = {
  name: 'find_refresh_token',
  text: `
    SELECT r.id, r.grant_id, g.user_id, g.client_id, r.scope, r.audience, r.format, r.used_at, r.successor, r.successor_expires_at,
           r.answered_scope, g.expires_at AS grant_expires_at, g.revoked_at IS NOT NULL OR ${endedWithOwner('g')} AS grant_revoked, r.jkt
      FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id
     WHERE r.digest = $1 AND r.expires_at = $2`,
};

/** @throws Unavailable */
export async function findRefreshToken(
  queries: Queries,
  { digest, expiresAt }: Pick<ReadToken, 'digest' | 'expiresAt'>,
): Promise<RefreshRow | undefined> {
  const [row] = await queries.run<RefreshRow>(FIND_REFRESH_TOKEN, [digest, timestamp(expiresAt)]);
  return row;
}

/**
 * Of many attempts at once, only one finds the token unused. The used row keeps what tells a theft from a retry. What
 * the token carried, $11 to $13, is in the row of its successor (docs/decisions/0064).
 */
export const ROTATE: Statement = {
  name: 'rotate_refresh_token',
  text: `
    WITH used AS (
      UPDATE refresh_tokens r
         SET used_at = $3, successor = substring($4::bytea FROM 1 FOR 8), successor_expires_at = $5,
             answered_scope = CASE $6::text WHEN $11 THEN '' ELSE $6 END, scope = '', audience = ''
        FROM grants g
       WHERE r.digest = $1 AND r.expires_at = $2 AND r.used_at IS NULL
         AND g.id = r.grant_id AND g.revoked_at IS NULL AND g.expires_at > $3
         AND NOT ${endedWithOwner('g')}
      RETURNING r.id, r.grant_id, g.user_id, g.client_id
    ), successor AS (
      INSERT INTO refresh_tokens (digest, expires_at, grant_id, scope, audience, format, created_at, jkt)
      SELECT $4, $5, grant_id, $11, $12, $13, $3, $15 FROM used
      RETURNING id
    ), token AS (
      INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, client_id, scope, audience, format, created_at, jkt)
      SELECT $7, $8, grant_id, user_id, client_id, $6, $12, $13, $3, $14 FROM used
      RETURNING id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $3, 'token.refreshed', 'holder', used.grant_id, token.id, $9, $10,
           jsonb_build_object('scope', $6::text, 'expires_at', $8::timestamptz, 'refresh_token_id', used.id,
                              'successor_id', successor.id)
           || CASE WHEN $14::text IS NULL THEN '{}' ELSE jsonb_build_object('jkt', $14::text) END
      FROM used, successor, token
    RETURNING token_id`,
};

/** Gives the unused successor, $9, again, within the grace period. $10 is the scope of the first answer. */
export const REPLAY: Statement = {
  name: 'replay_refresh_token',
  text: `
    WITH used AS (
      SELECT r.id, r.grant_id, g.user_id, g.client_id, s.audience, s.format
        FROM refresh_tokens r
        JOIN refresh_tokens s ON s.digest = $9 AND s.expires_at = r.successor_expires_at
        JOIN grants g ON g.id = r.grant_id
       WHERE r.digest = $1 AND r.expires_at = $2 AND r.used_at > $4 AND s.used_at IS NULL
         AND g.revoked_at IS NULL AND g.expires_at > $3 AND NOT ${endedWithOwner('g')}
         FOR SHARE OF s
    ), token AS (
      INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, client_id, scope, audience, format, created_at, jkt)
      SELECT $5, $6, grant_id, user_id, client_id, $10, audience, format, $3, $11 FROM used
      RETURNING id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $3, 'token.refreshed_again', 'holder', used.grant_id, token.id, $7, $8,
           jsonb_build_object('scope', $10::text, 'expires_at', $6::timestamptz, 'refresh_token_id', used.id)
      FROM used, token
    RETURNING token_id`,
};

/** After a failover, this does not ask whether the token was used: the record of its use may be lost as well. */
const KILL_REPLAYED_GRANT_AGAIN: Statement = {
  name: 'kill_replayed_grant_again',
  text: `
    WITH killed AS (
      UPDATE grants SET revoked_at = $3, revoked_reason = 'refresh_token_replayed' FROM refresh_tokens r
       WHERE r.digest = $1 AND r.expires_at = $2 AND grants.id = r.grant_id
         AND grants.revoked_at IS NULL AND NOT ${endedWithOwner('grants')}
      RETURNING grants.id, r.id AS token_id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $3, 'refresh.replayed', 'holder', id, token_id, $4, $5, '{"grant_killed_now": true}' FROM killed
    RETURNING grant_id`,
};

/**
 * A used token that is no retry was stolen, and nobody knows which of its two users is the thief. So the grant ends,
 * and everybody with its tokens starts again. This statement checks once more that the use is no retry, because a
 * replay that found nothing proves nothing. $6 is the beginning of the grace period; without it, no use is a retry. $7
 * is the digest of the successor.
 */
export const KILL_REPLAYED_GRANT: Statement = {
  name: 'kill_replayed_grant',
  again: { statement: KILL_REPLAYED_GRANT_AGAIN, step: 2, parameters: 5, ifRows: true },
  text: `
    WITH used AS (
      SELECT r.id, r.grant_id FROM refresh_tokens r
       WHERE r.digest = $1 AND r.expires_at = $2 AND r.used_at IS NOT NULL
         AND ($6::timestamptz IS NULL OR r.used_at <= $6 OR EXISTS (
           SELECT FROM refresh_tokens s
            WHERE s.digest = $7 AND s.expires_at = r.successor_expires_at AND s.used_at IS NOT NULL))
    ), killed AS (
      UPDATE grants SET revoked_at = $3, revoked_reason = 'refresh_token_replayed'
        FROM used WHERE grants.id = used.grant_id AND grants.revoked_at IS NULL AND NOT ${endedWithOwner('grants')}
      RETURNING grants.id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $3, 'refresh.replayed', 'holder', used.grant_id, used.id, $4, $5,
           jsonb_build_object('grant_killed_now', EXISTS (SELECT FROM killed))
      FROM used
    RETURNING (detail ->> 'grant_killed_now')::boolean AS killed`,
};
