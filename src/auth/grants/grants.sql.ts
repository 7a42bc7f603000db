import type { Positioned } from '../lists/cursors.js';
import { columnsOf, type RowOf } from '../../database/columns.js';
import type { Grant } from './grant.entity.js';
import { livingGrants } from './living-grants.js';
import { endedWithOwner, TELL_OF_EACH } from './owner-ending.sql.js';
import type { Statement } from '../../database/statement.js';

/**
 * Written as SQL because the condition reads another table (a grant may have ended with all of its owner's), and
 * because the same statement writes the audit event.
 */
const revokeGrant = (name: string, condition: string): Statement => ({
  name,
  again: 'same',
  text: `
    WITH revoked AS (
      UPDATE grants SET revoked_at = $1, revoked_reason = $2
       WHERE id = $6 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) ${condition}
         AND NOT ${endedWithOwner('grants')}
      RETURNING id, kind
    ) ${TELL_OF_EACH} RETURNING grant_id`,
});

export const REVOKE_OWN_GRANT = revokeGrant('revoke_own_grant', 'AND user_id = $7 AND kind = $8');

/** Ends anybody's grant, for operators. */
export const REVOKE_GRANT = revokeGrant('revoke_grant', '');

export const REVOKE_LOGIN = revokeGrant('revoke_login', "AND kind = 'login'");

/** The fields of a grant that its owner, operators and the command line see. */
export const SHOWN_OF_GRANT = [
  ...(['id', 'kind', 'userId', 'clientId', 'scope', 'label', 'ip', 'userAgent'] as const),
  ...(['createdAt', 'lastUsedAt', 'expiresAt'] as const),
] as const;

type ShownGrant = Positioned & RowOf<Grant, typeof SHOWN_OF_GRANT>;

/** A grant of anybody, with its user's name. */
export type GrantRow = ShownGrant & { readonly username: string | null };

const OWN = columnsOf(SHOWN_OF_GRANT, 'g.');
const LISTED = { columns: `${OWN}, u.name AS username`, join: 'LEFT JOIN users u ON u.id = g.user_id' };

export const LIST_GRANTS = {
  anybody: livingGrants({ name: 'list_grants', ...LISTED }),
  user: livingGrants({ name: 'list_grants_of_user', ...LISTED, of: 'user' }),
  client: livingGrants({ name: 'list_grants_of_client', ...LISTED, of: 'client' }),
} as const;

/** A person's own logins and API keys. Both always have an end, and an API key always has a label. */
export interface OwnGrantRows {
  readonly login: ShownGrant & { readonly expires_at: Date };
  readonly api_key: ShownGrant & { readonly expires_at: Date; readonly label: string };
}

export const LIST_OWN_GRANTS: Readonly<Record<keyof OwnGrantRows, Statement>> = {
  login: livingGrants({ name: 'list_own_logins', columns: OWN, of: 'login' }),
  api_key: livingGrants({ name: 'list_own_api_keys', columns: OWN, of: 'api_key' }),
};
