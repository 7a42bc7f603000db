import type { Statement } from '../../database/database.js';

const revokeGrant = (name: string, condition: string): Statement => ({
  name,
  text: `
    WITH revoked AS (
      UPDATE grants SET revoked_at = $2, revoked_reason = $3
       WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) ${condition}
      RETURNING id, kind
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $2, 'grant.revoked', $4, id, $5, $6, jsonb_build_object('reason', $3::text, 'kind', kind) FROM revoked
    RETURNING grant_id`,
});

export const REVOKE_OWN_GRANT = revokeGrant('revoke_own_grant', 'AND user_id = $7 AND kind = $8');
