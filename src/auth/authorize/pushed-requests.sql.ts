import type { Statement } from '../../database/statement.js';
import { hasRoom, MOST_WAITING } from './room-to-wait.sql.js';

export const PUSH_REQUEST: Statement = {
  name: 'push_request',
  text: `
    WITH waiting AS (
      SELECT client_id, network FROM pushed_requests WHERE expires_at > $2 AND used_at IS NULL LIMIT ${MOST_WAITING}
    ), room AS (
      SELECT 1 FROM waiting w
      HAVING ${hasRoom({ client: '$3', network: '$4', isPublic: '$7::boolean' })}
    )
    INSERT INTO pushed_requests (digest, created_at, expires_at, client_id, network, parameters)
    SELECT $1, $2, $6, $3, $4, $5 FROM room
    RETURNING 1`,
};

/**
 * Once a browser has come, the person has 20 minutes to sign in and to read, and may load the page again (RFC 9126 §4).
 */
export const OPEN_PUSHED: Statement = {
  name: 'open_pushed_request',
  text: `
    UPDATE pushed_requests SET opened_at = coalesce(opened_at, $3)
     WHERE digest = $1 AND client_id = $2 AND used_at IS NULL
       AND CASE WHEN opened_at IS NULL THEN expires_at > $3 ELSE opened_at > $3::timestamptz - interval '20 min' END
    RETURNING parameters`,
};

export const SPEND_PUSHED: Statement = {
  name: 'spend_pushed_request',
  text: `UPDATE pushed_requests SET used_at = $2 WHERE digest = $1 AND used_at IS NULL`,
};
