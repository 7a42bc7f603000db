import { firstEnding } from '../grants/owner-ending.sql.js';
import type { TokenKind } from './token-format.js';
import type { Statement } from '../../database/statement.js';

export interface FactsRow {
  readonly token_id: string;
  readonly created_at: Date;
  readonly scope: string;
  readonly audience: string | null;
  readonly revoked_at: Date | null;
  readonly used_at: Date | null;
  readonly grant_id: string | null;
  readonly grant_kind: 'login' | 'client' | 'api_key' | 'consent' | null;
  readonly grant_created_at: Date | null;
  readonly grant_expires_at: Date | null;
  readonly grant_revoked_at: Date | null;
  readonly grant_revoked_reason: string | null;
  readonly user_id: string | null;
  readonly username: string | null;
  readonly client_id: string | null;
  readonly owner_disabled_at: Date | null;
  readonly revoked_by: string | null;
  /** The thumbprint of the key that the token is bound to. */
  readonly jkt: string | null;
  /** The clients that act in an exchanged token, the current actor first; null for other tokens. */
  readonly actors: readonly string[] | null;
  /** When the first of the source tokens was revoked. */
  readonly source_revoked_at: Date | null;
  /** When the first of the actors' grants was revoked. */
  readonly actor_ended_at: Date | null;
}

const GRANT = `
  g.id AS grant_id, g.kind AS grant_kind, g.created_at AS grant_created_at, g.expires_at AS grant_expires_at,
  coalesce(g.revoked_at, ending.ended_at) AS grant_revoked_at,
  coalesce(g.revoked_reason, ending.reason) AS grant_revoked_reason,
  g.user_id, u.name AS username, g.client_id, coalesce(u.disabled_at, c.disabled_at) AS owner_disabled_at,
  coalesce((SELECT a.actor FROM audit_events a
    WHERE a.type IN ('token.revoked', 'grant.revoked') AND (a.token_id = t.id OR a.grant_id = g.id)
    ORDER BY a.created_at LIMIT 1), ending.actor) AS revoked_by`;

/** LEFT JOIN, so that a token without its grant is still found: the missing grant is the reason for its refusal. */
const OWNERS = `
  LEFT JOIN grants g ON g.id = t.grant_id
  ${firstEnding('g', 'ending')}
  LEFT JOIN users u ON u.id = g.user_id
  LEFT JOIN clients c ON c.client_id = g.client_id`;

const EXCHANGE = `
  x.actors, (SELECT min(a.revoked_at) FROM grants a WHERE a.id = ANY (x.actor_grants)) AS actor_ended_at,
  (SELECT min(s.revoked_at) FROM unnest(x.sources, x.source_expires) AS one (digest, expires_at)
     JOIN access_tokens s ON s.digest = one.digest AND s.expires_at = one.expires_at) AS source_revoked_at`;

const NO_EXCHANGE = `NULL::text[] AS actors, NULL::timestamptz AS actor_ended_at, NULL::timestamptz AS source_revoked_at`;

/** $1 is the digest. $2 is the expiry, which names the partition. */
export const FACTS: Record<TokenKind, Statement> = {
  access: {
    name: 'explain_access_token',
    text: `
      SELECT t.id AS token_id, t.created_at, t.scope, t.audience, t.revoked_at, NULL::timestamptz AS used_at, t.jkt,
             ${EXCHANGE}, ${GRANT}
        FROM access_tokens t ${OWNERS} LEFT JOIN token_exchanges x ON x.digest = t.digest WHERE t.digest = $1 AND t.expires_at = $2`,
  },
  refresh: {
    name: 'explain_refresh_token',
    text: `
      SELECT t.id AS token_id, t.created_at, coalesce(nullif(t.scope, ''), g.scope) AS scope,
             nullif(t.audience, '') AS audience, NULL::timestamptz AS revoked_at, t.used_at, t.jkt,
             ${NO_EXCHANGE}, ${GRANT}
        FROM refresh_tokens t ${OWNERS} WHERE t.digest = $1 AND t.expires_at = $2`,
  },
  api_key: {
    name: 'explain_api_key',
    text: `
      SELECT t.id AS token_id, t.created_at, g.scope, t.audience, NULL::timestamptz AS revoked_at,
             NULL::timestamptz AS used_at, NULL AS jkt, ${NO_EXCHANGE}, ${GRANT}
        FROM api_keys t ${OWNERS} WHERE t.digest = $1 AND t.expires_at = $2`,
  },
  client_secret: {
    name: 'explain_client_secret',
    text: `
      SELECT t.id AS token_id, t.created_at, c.scope, NULL AS audience, NULL::timestamptz AS revoked_at,
             NULL::timestamptz AS used_at, NULL AS jkt, ${NO_EXCHANGE}, NULL AS grant_id, NULL AS grant_kind, NULL::timestamptz AS grant_created_at,
             NULL::timestamptz AS grant_expires_at, NULL::timestamptz AS grant_revoked_at,
             NULL AS grant_revoked_reason, NULL AS user_id, NULL AS username, c.client_id,
             c.disabled_at AS owner_disabled_at, NULL AS revoked_by
        FROM client_secrets t JOIN clients c ON c.client_id = t.client_id
       WHERE t.digest = $1 AND $2::timestamptz IS NOT NULL`,
  },
};
