import type { Positioned } from '../lists/cursors.js';
import { livingGrants } from '../grants/living-grants.js';

export interface SessionRow extends Positioned {
  readonly id: string;
  readonly label: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly expires_at: Date;
}

export const LIST_SESSIONS = livingGrants({
  name: 'list_sessions',
  columns: 'g.id, g.label, g.ip, g.user_agent, g.created_at, g.last_used_at, g.expires_at',
  of: 'login',
});
