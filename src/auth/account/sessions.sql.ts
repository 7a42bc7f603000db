import type { Positioned } from '../lists/cursors.js';
import { endedWithOwner } from '../grants/owner-ending.sql.js';
import type { Statement } from '../../database/statement.js';

export interface SessionRow extends Positioned {
  readonly id: string;
  readonly label: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly expires_at: Date;
}

export const LIST_SESSIONS: Statement = {
  name: 'list_sessions',
  text: `
    SELECT id, label, ip, user_agent, created_at, last_used_at, expires_at,
           ARRAY[created_at::text, id::text] AS position
      FROM grants
     WHERE user_id = $1 AND kind = 'login' AND revoked_at IS NULL AND expires_at > $2
       AND NOT ${endedWithOwner('grants')}
       AND (created_at, id) < ($3::timestamptz, $4::uuid)
     ORDER BY created_at DESC, id DESC LIMIT $5`,
};
