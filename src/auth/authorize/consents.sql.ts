import { endedWithOwner } from '../grants/owner-ending.sql.js';
import type { Statement } from '../../database/statement.js';
import { SIGNED_IN } from './signed-in.sql.js';

/**
 * Locks the rows of the user, the session and the client FOR SHARE and checks them once more. Whoever disables, ends or
 * changes one of them locks its row first, and then ends every consent given until then. A pushed request is answered
 * once.
 */
export const GIVE_CONSENT: Statement = {
  name: 'give_consent',
  text: `
    WITH ${SIGNED_IN}, client AS (
      SELECT client_id FROM clients
       WHERE client_id = $5 AND scope = $6 AND redirect_uris = $7 AND disabled_at IS NULL FOR SHARE
    ), pushed AS (
      UPDATE pushed_requests p SET used_at = $4 FROM owner, session, client
       WHERE p.digest = $22 AND p.client_id = client.client_id AND p.used_at IS NULL
      RETURNING 1
    ), consent AS (
      INSERT INTO grants (kind, user_id, client_id, epoch, scope, expires_at, ip, user_agent, created_at, label, remembered)
      SELECT 'consent', owner.id, client.client_id, owner.epoch, $8, $9, $10, $11, $4, $12, $13 FROM owner, session, client
       WHERE $22::bytea IS NULL OR EXISTS (SELECT FROM pushed)
      RETURNING id
    ), code AS (
      INSERT INTO authorization_codes
        (digest, created_at, expires_at, grant_id, client_id, redirect_uri, code_challenge, audience, offline, jkt)
      SELECT $14, $4, $15, id, $5, $16, $17, $18, $19, $23 FROM consent
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $4, 'consent.given', 'user:' || owner.name, consent.id, $10, $20,
           jsonb_build_object('client_id', $5::text, 'scope', $8::text, 'audience', $18::text, 'remembered', $13::boolean,
                              'asked', $21::boolean, 'session_id', $3::uuid)
      FROM owner, consent
    RETURNING grant_id`,
};

/** Whether a remembered consent already gives this client this scope at this API. */
export const IS_REMEMBERED: Statement = {
  name: 'is_remembered',
  text: `
    SELECT 1 FROM grants g
     WHERE g.user_id = $1 AND g.kind = 'consent' AND g.revoked_at IS NULL AND g.expires_at > $2
       AND g.client_id = $3 AND g.remembered AND g.label IS NOT DISTINCT FROM $4
       AND $5::text[] <@ string_to_array(g.scope, ' ') AND NOT ${endedWithOwner('g')}
     LIMIT 1`,
};

export interface ConsentRow {
  readonly client_id: string;
  readonly name: string;
  /** The scope of each of the client's consents. */
  readonly scopes: readonly string[];
  readonly remembered: boolean;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly expires_at: Date;
}

/** One row per client, however many consents the client has. */
export const LIST_CONSENTS: Statement = {
  name: 'list_consents',
  text: `
    SELECT g.client_id, c.name, array_agg(DISTINCT g.scope) AS scopes, bool_or(g.remembered) AS remembered,
           min(g.created_at) AS created_at, max(g.last_used_at) AS last_used_at, max(g.expires_at) AS expires_at
      FROM grants g JOIN clients c ON c.client_id = g.client_id
     WHERE g.user_id = $1 AND g.kind = 'consent' AND g.revoked_at IS NULL AND g.expires_at > $2
       AND NOT ${endedWithOwner('g')}
     GROUP BY g.client_id, c.name ORDER BY max(g.created_at) DESC, g.client_id`,
};

const endConsents = (condition = ''): string => `
    WITH doomed AS (
      SELECT g.id FROM grants g
       WHERE g.user_id = $1 AND g.kind = 'consent' AND g.revoked_at IS NULL AND g.expires_at > $2 AND g.client_id = $3
         AND NOT ${endedWithOwner('g')} ${condition}
       ORDER BY g.id FOR NO KEY UPDATE OF g
    ), revoked AS (
      UPDATE grants SET revoked_at = $2, revoked_reason = 'consent_ended' FROM doomed WHERE grants.id = doomed.id
      RETURNING grants.id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $2, 'grant.revoked', $4, id, $5, $6, '{"reason": "consent_ended", "kind": "consent"}' FROM revoked
    RETURNING grant_id`;

/** Ends all consents of one person for one client. */
export const END_CONSENTS: Statement = {
  name: 'end_consents',
  text: endConsents(),
  again: {
    statement: { name: 'end_consents_again', text: endConsents('AND g.created_at <= $2') },
    step: Infinity,
  },
};
