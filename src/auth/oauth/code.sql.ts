import { endedWithOwner } from '../grants/owner-ending.sql.js';
import type { Statement } from '../../database/statement.js';
import { TOKENS_OF_USED } from './consent-tokens.sql.js';

export interface CodeRow {
  readonly grant_id: string;
  readonly user_id: string;
  readonly client_id: string;
  readonly redirect_uri: string;
  readonly code_challenge: string;
  readonly scope: string;
  readonly audience: string;
  readonly offline: boolean;
  readonly expires_at: Date;
  readonly used_at: Date | null;
  readonly grant_expires_at: Date;
  readonly grant_revoked: boolean;
  /** Thumbprint of the key whose proof must come with the code. */
  readonly jkt: string | null;
}

export const FIND_CODE: Statement = {
  name: 'find_code',
  text: `
    SELECT c.grant_id, g.user_id, c.client_id, c.redirect_uri, c.code_challenge, g.scope, c.audience, c.offline,
           c.expires_at, c.used_at, g.expires_at AS grant_expires_at,
           g.revoked_at IS NOT NULL OR ${endedWithOwner('g')} AS grant_revoked, c.jkt
      FROM authorization_codes c JOIN grants g ON g.id = c.grant_id
     WHERE c.digest = $1`,
};

/** Of many attempts at once, only one finds the code unused. */
export const USE_CODE: Statement = {
  name: 'use_code',
  text: `
    WITH used AS (
      UPDATE authorization_codes c SET used_at = $2
        FROM grants g
       WHERE c.digest = $1 AND c.used_at IS NULL AND c.expires_at > $2
         AND g.id = c.grant_id AND g.revoked_at IS NULL AND g.expires_at > $2 AND NOT ${endedWithOwner('g')}
      RETURNING c.grant_id, c.audience, g.user_id, g.client_id, g.scope
    ), ${TOKENS_OF_USED}`,
};

/** After a failover, this does not ask whether the code was used: the record of its use may be lost as well. */
const KILL_REPLAYED_CODE_AGAIN: Statement = {
  name: 'kill_replayed_code_again',
  text: `
    WITH killed AS (
      UPDATE grants SET revoked_at = $2, revoked_reason = 'code_replayed' FROM authorization_codes c
       WHERE c.digest = $1 AND grants.id = c.grant_id AND grants.revoked_at IS NULL AND NOT ${endedWithOwner('grants')}
      RETURNING grants.id, c.client_id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $2, 'code.replayed', 'client:' || client_id, id, $3, $4, '{"grant_killed_now": true}' FROM killed
    RETURNING grant_id`,
};

/**
 * RFC 6749 §4.1.2: if a code is used twice, one of the two users has stolen it. So the consent ends, and with it the
 * tokens of the first use.
 */
export const KILL_REPLAYED_CODE: Statement = {
  name: 'kill_replayed_code',
  again: { statement: KILL_REPLAYED_CODE_AGAIN, step: 2, ifRows: true },
  text: `
    WITH used AS (
      SELECT grant_id, client_id FROM authorization_codes WHERE digest = $1 AND used_at IS NOT NULL
    ), killed AS (
      UPDATE grants SET revoked_at = $2, revoked_reason = 'code_replayed'
        FROM used WHERE grants.id = used.grant_id AND grants.revoked_at IS NULL AND NOT ${endedWithOwner('grants')}
      RETURNING grants.id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $2, 'code.replayed', 'client:' || used.client_id, used.grant_id, $3, $4,
           jsonb_build_object('grant_killed_now', EXISTS (SELECT FROM killed))
      FROM used
    RETURNING (detail ->> 'grant_killed_now')::boolean AS killed`,
};
