import { AUDIT_COLUMNS, type AuditRow } from '../audit/audit.sql.js';
import { SHOWN_OF_GRANT, type GrantRow } from '../grants/grants.sql.js';
import { firstEnding } from '../grants/owner-ending.sql.js';
import { columnsOf, type RowOf } from '../../database/columns.js';
import type { Grant } from '../grants/grant.entity.js';
import type { Statement } from '../../database/statement.js';

export interface FoundRow {
  readonly grant_id: string;
  /** Null if the id was that of a grant. */
  readonly token_id: string | null;
}

/** A deleted grant is known by its events, for as long as those are kept. Each of these look-ups uses an index. */
export const FIND_BY_ID: Statement = {
  name: 'find_story_by_id',
  text: `
    SELECT $1::uuid AS grant_id, NULL::uuid AS token_id
     WHERE EXISTS (SELECT FROM grants WHERE id = $1) OR EXISTS (SELECT FROM audit_events WHERE grant_id = $1)
    UNION ALL
    (SELECT grant_id, token_id FROM audit_events WHERE token_id = $1 AND grant_id IS NOT NULL LIMIT 1)
    UNION ALL
    SELECT grant_id, id FROM refresh_tokens WHERE id = $1
    UNION ALL
    SELECT grant_id, id FROM api_keys WHERE id = $1
    LIMIT 1`,
};

export interface StoryGrantRow
  extends Omit<GrantRow, 'position'>, RowOf<Grant, ['revokedAt', 'revokedReason']> {
  /** Who ended all grants of the owner, if the grant's own row does not say yet that it has ended. */
  readonly ended_by: string | null;
}

export const STORY_GRANT: Statement = {
  name: 'story_grant',
  text: `
    SELECT ${columnsOf(SHOWN_OF_GRANT, 'g.')}, u.name AS username, coalesce(g.revoked_at, ending.ended_at) AS revoked_at,
           coalesce(g.revoked_reason, ending.reason) AS revoked_reason, ending.actor AS ended_by
      FROM grants g LEFT JOIN users u ON u.id = g.user_id ${firstEnding('g', 'ending')} WHERE g.id = $1`,
};

export type StoryRow = Omit<AuditRow, 'position'>;

/** The last events of a grant, at most this many; its first event is added. */
export const EVENTS_MOST = 1_000;

const EVENTS = `SELECT ${AUDIT_COLUMNS} FROM audit_events`;

/** All events of a login or a key. The events of the token $2 are never left out. */
export const STORY_OF_GRANT: Statement = {
  name: 'story_of_grant',
  text: `
    (${EVENTS} WHERE grant_id = $1 ORDER BY created_at DESC, id DESC LIMIT ${EVENTS_MOST})
    UNION
    (${EVENTS} WHERE grant_id = $1 ORDER BY created_at, id LIMIT 1)
    UNION
    (${EVENTS} WHERE token_id = $2 AND grant_id = $1 ORDER BY created_at, id LIMIT 100)
    ORDER BY created_at, id`,
};

/**
 * The events of one token of a client, which may get thousands of tokens a day: the token's own, and the end of the grant,
 * whose event has the same time $3 as the grant's row.
 */
export const STORY_OF_CLIENT_TOKEN: Statement = {
  name: 'story_of_client_token',
  text: `
    (${EVENTS} WHERE token_id = $2 AND grant_id = $1 ORDER BY created_at, id LIMIT 100)
    UNION
    (${EVENTS} WHERE created_at = $3 AND grant_id = $1 AND type = 'grant.revoked')
    ORDER BY created_at, id`,
};
