import { endedWithOwner } from '../grants/owner-ending.sql.js';

/**
 * The person who consents ($1, whose scope was $2), in which session ($3), now ($4). Both rows are locked FOR SHARE and
 * checked once more. Whoever disables, ends or changes one of them locks its row first, and then ends every consent
 * given until then.
 */
export const SIGNED_IN = `
    owner AS (
      SELECT id, name, epoch FROM users WHERE id = $1 AND scope = $2 AND disabled_at IS NULL FOR SHARE
    ), session AS (
      SELECT g.id FROM grants g, owner
       WHERE g.id = $3 AND g.user_id = owner.id AND g.kind = 'login' AND g.revoked_at IS NULL AND g.expires_at > $4
         AND NOT ${endedWithOwner('g')}
         FOR SHARE OF g
    )`;
