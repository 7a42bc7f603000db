import type { Statement } from '../../database/statement.js';
import { hasRoom, MOST_WAITING } from '../authorize/room-to-wait.sql.js';
import { SIGNED_IN } from '../authorize/signed-in.sql.js';

/** Locks the client's row and checks it once more: whoever changes the client locks its row first. */
export const ASK_FOR_DEVICE: Statement = {
  name: 'ask_for_device',
  text: `
    WITH client AS (
      SELECT client_id, is_public FROM clients
       WHERE client_id = $1 AND scope = $2 AND device_grant AND disabled_at IS NULL FOR SHARE
    ), waiting AS (
      SELECT client_id, network FROM device_codes
       WHERE expires_at > $3 AND grant_id IS NULL AND denied_at IS NULL LIMIT ${MOST_WAITING}
    ), room AS (
      SELECT client_id FROM client
       WHERE (SELECT ${hasRoom({ client: '$1', network: '$11', isPublic: 'client.is_public' })} FROM waiting w)
    ), made AS (
      INSERT INTO device_codes
        (digest, user_code, created_at, expires_at, client_id, scope, audience, offline, ip, network, pause)
      SELECT $4, $5, $3, $6, client_id, $7, $8, $9, $10, $11, $12 FROM room
      ON CONFLICT DO NOTHING
      RETURNING 1
    )
    SELECT EXISTS (SELECT FROM client) AS client, EXISTS (SELECT FROM room) AS room, EXISTS (SELECT FROM made) AS made`,
};

export interface WaitingRow {
  readonly digest: Buffer;
  readonly client_id: string;
  readonly scope: string;
  readonly audience: string;
  readonly offline: boolean;
  readonly ip: string | null;
  readonly created_at: Date;
}

/** A device on which nobody has decided yet. */
export const FIND_WAITING: Statement = {
  name: 'find_waiting_device',
  text: `
    SELECT digest, client_id, scope, audience, offline, ip, created_at FROM device_codes
     WHERE user_code = ANY ($1) AND expires_at > $2 AND grant_id IS NULL AND denied_at IS NULL`,
};

/**
 * Locks the rows of the user, the session and the client FOR SHARE and checks them once more, as GIVE_CONSENT does. If
 * several decisions come at once, or the code expires meanwhile, the row of the code lets only one of them win.
 */
export const ALLOW_DEVICE: Statement = {
  name: 'allow_device',
  text: `
    WITH ${SIGNED_IN}, client AS (
      SELECT client_id FROM clients
       WHERE client_id = $5 AND scope = $6 AND device_grant AND disabled_at IS NULL FOR SHARE
    ), code AS (
      UPDATE device_codes d SET grant_id = $7 FROM owner, session, client
       WHERE d.digest = $8 AND d.client_id = client.client_id
         AND d.expires_at > $4 AND d.grant_id IS NULL AND d.denied_at IS NULL
      RETURNING d.grant_id, d.client_id, d.audience, d.ip
    ), consent AS (
      INSERT INTO grants (id, kind, user_id, client_id, epoch, scope, expires_at, ip, user_agent, created_at, label)
      SELECT code.grant_id, 'consent', owner.id, code.client_id, owner.epoch, $9, $10, $11, $12, $4, $13 FROM owner, code
      RETURNING id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $4, 'consent.given', 'user:' || owner.name, consent.id, $11, $14,
           jsonb_build_object('client_id', code.client_id, 'scope', $9::text, 'audience', code.audience, 'remembered', false,
                              'asked', true, 'session_id', $3::uuid, 'device', true, 'device_ip', code.ip)
      FROM owner, code, consent
    RETURNING grant_id`,
};

export const DENY_DEVICE: Statement = {
  name: 'deny_device',
  text: `
    WITH denied AS (
      UPDATE device_codes SET denied_at = $2
       WHERE digest = $1 AND expires_at > $2 AND grant_id IS NULL AND denied_at IS NULL
      RETURNING client_id, ip
    )
    INSERT INTO audit_events (created_at, type, actor, ip, request_id, detail)
    SELECT $2, 'consent.denied', $3, $4, $5,
           jsonb_build_object('client_id', client_id, 'device', true, 'device_ip', ip) FROM denied
    RETURNING 1`,
};
