import { endedWithOwner } from '../grants/owner-ending.sql.js';
import type { Statement } from '../../database/statement.js';
import { TOKENS_OF_USED } from './consent-tokens.sql.js';

export interface DeviceCodeRow {
  readonly client_id: string;
  readonly audience: string;
  readonly offline: boolean;
  readonly expires_at: Date;
  readonly denied_at: Date | null;
  readonly used_at: Date | null;
  readonly grant_id: string | null;
  /** This field and the next two are of the consent; null while there is none. */
  readonly user_id: string | null;
  readonly scope: string | null;
  readonly grant_expires_at: Date | null;
  readonly grant_revoked: boolean;
}

export const FIND_DEVICE_CODE: Statement = {
  name: 'find_device_code',
  text: `
    SELECT d.client_id, d.audience, d.offline, d.expires_at, d.denied_at, d.used_at, d.grant_id,
           g.user_id, g.scope, g.expires_at AS grant_expires_at,
           g.id IS NOT NULL AND (g.revoked_at IS NOT NULL OR ${endedWithOwner('g')}) AS grant_revoked
      FROM device_codes d LEFT JOIN grants g ON g.id = d.grant_id
     WHERE d.digest = $1`,
};

/**
 * The row keeps the polls, so that all instances agree on whether a device polls too fast. A poll may come 1 second
 * early, because the network does not always take the same time. Nothing is written once a person has decided.
 */
export const NOTE_POLL: Statement = {
  name: 'note_device_poll',
  text: `
    WITH seen AS (
      SELECT digest, polled_at > $2::timestamptz - make_interval(secs => pause - 1) AS too_fast
        FROM device_codes WHERE digest = $1 AND grant_id IS NULL AND denied_at IS NULL AND expires_at > $2 FOR UPDATE
    )
    UPDATE device_codes d SET polled_at = $2, pause = d.pause + CASE WHEN seen.too_fast THEN 5 ELSE 0 END
      FROM seen WHERE d.digest = seen.digest
    RETURNING coalesce(seen.too_fast, false) AS too_fast`,
};

/** Of many attempts at once, only one finds the device code unused. */
export const USE_DEVICE_CODE: Statement = {
  name: 'use_device_code',
  text: `
    WITH used AS (
      UPDATE device_codes d SET used_at = $2
        FROM grants g
       WHERE d.digest = $1 AND d.used_at IS NULL AND d.denied_at IS NULL AND d.expires_at > $2
         AND g.id = d.grant_id AND g.revoked_at IS NULL AND g.expires_at > $2 AND NOT ${endedWithOwner('g')}
      RETURNING d.grant_id, d.audience, g.user_id, g.client_id, g.scope
    ), ${TOKENS_OF_USED}`,
};
