import { Logger } from '@nestjs/common';
import type { Database } from '../../database/database.js';
import type { RequestOrigin } from '../request-origin.js';
import { endedWithOwner } from './owner-ending.sql.js';
import type { Statement } from '../../database/statement.js';

/** One call ends at most this many logins beyond the bound; the next login ends more. */
const STEP = 500;

/**
 * Ends logins beyond the bound, the oldest first. If there are very many, it reads only the logins that expire soonest.
 * It leaves locked rows for the next time.
 */
const END_OLDEST_LOGINS: Statement = {
  name: 'end_oldest_logins',
  text: `
    WITH others AS MATERIALIZED (
      SELECT g.id, g.created_at, ${endedWithOwner('g')} AS ended FROM grants g
       WHERE g.user_id = $4 AND g.kind = $7 AND g.revoked_at IS NULL AND g.expires_at > $1 AND g.id <> $5
       ORDER BY g.expires_at LIMIT $6::int + ${STEP}
    ), doomed AS (
      SELECT g.id FROM grants g
       WHERE g.id = ANY (ARRAY(SELECT id FROM others WHERE NOT ended ORDER BY created_at DESC, id DESC OFFSET $6::int))
         AND g.revoked_at IS NULL
       ORDER BY g.id FOR NO KEY UPDATE OF g SKIP LOCKED
    ), revoked AS (
      UPDATE grants SET revoked_at = $1, revoked_reason = 'too_many_sessions' FROM doomed WHERE grants.id = doomed.id
      RETURNING grants.id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $1, 'grant.revoked', 'keks', id, $2, $3, jsonb_build_object('reason', 'too_many_sessions', 'kind', $7::text) FROM revoked
    RETURNING grant_id`,
};

export interface NewLogin {
  readonly grantId: string;
  readonly userId: string;
  readonly at: Date;
  readonly origin: RequestOrigin;
}

/**
 * Ends the oldest logins (or consents) beyond the bound, after a new one has begun. If this fails, the new login does
 * not fail: the next login ends them.
 * @param most living grants of one user and kind, the new one included
 * @returns the number of grants that it has ended
 */
export async function endOldestLogins(
  database: Database,
  { grantId, userId, at, origin }: NewLogin,
  most: number,
  kind: 'login' | 'consent' = 'login',
): Promise<number> {
  const values = [at, origin.ip, origin.requestId, userId, grantId, most - 1, kind];
  try {
    return (await database.run(END_OLDEST_LOGINS, values)).length;
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    new Logger('grants').warn(`the oldest logins were not ended: ${why}`);
    return 0;
  }
}
