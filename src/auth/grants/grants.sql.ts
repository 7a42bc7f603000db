import type { Positioned } from '../lists/cursors.js';
import type { GrantKind } from './grant-revocation.js';
import { livingGrants } from './living-grants.js';
import { endedWithOwner } from './owner-ending.sql.js';
import type { Statement } from '../../database/statement.js';

const revokeGrant = (name: string, condition: string): Statement => ({
  name,
  again: 'same',
  text: `
    WITH revoked AS (
      UPDATE grants SET revoked_at = $2, revoked_reason = $3
       WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) ${condition}
         AND NOT ${endedWithOwner('grants')}
      RETURNING id, kind
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $2, 'grant.revoked', $4, id, $5, $6, jsonb_build_object('reason', $3::text, 'kind', kind) FROM revoked
    RETURNING grant_id`,
});

export const REVOKE_OWN_GRANT = revokeGrant('revoke_own_grant', 'AND user_id = $7 AND kind = $8');

/** Anybody's: for operators. */
export const REVOKE_GRANT = revokeGrant('revoke_grant', '');

export const REVOKE_LOGIN = revokeGrant('revoke_login', "AND kind = 'login'");

export interface GrantRow extends Positioned {
  readonly id: string;
  readonly kind: GrantKind;
  readonly user_id: string | null;
  readonly username: string | null;
  readonly client_id: string | null;
  readonly scope: string;
  readonly label: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly expires_at: Date | null;
}

const LISTED = {
  columns: `g.id, g.kind, g.user_id, u.name AS username, g.client_id, g.scope, g.label, g.ip, g.user_agent,
            g.created_at, g.last_used_at, g.expires_at`,
  join: 'LEFT JOIN users u ON u.id = g.user_id',
} as const;

export const LIST_GRANTS = {
  anybody: livingGrants({ name: 'list_grants', ...LISTED }),
  user: livingGrants({ name: 'list_grants_of_user', ...LISTED, of: 'user' }),
  client: livingGrants({ name: 'list_grants_of_client', ...LISTED, of: 'client' }),
} as const;
