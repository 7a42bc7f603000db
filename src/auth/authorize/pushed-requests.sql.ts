import type { Statement } from '../../database/statement.js';

/** So many wait for somebody at once; those who come at the same moment may be some more. */
const MOST_OF_ALL = 10_000;
const MOST_OF_CLIENT = 1_000;
/** Of a client without a secret, whose name anybody can say: nobody uses up what others have. */
const MOST_OF_NETWORK = 100;

export const PUSH_REQUEST: Statement = {
  name: 'push_request',
  text: `
    WITH waiting AS (
      SELECT client_id, network FROM pushed_requests WHERE expires_at > $2 AND used_at IS NULL LIMIT ${MOST_OF_ALL}
    ), room AS (
      SELECT 1 FROM waiting w
      HAVING count(*) < ${MOST_OF_ALL} AND count(*) FILTER (WHERE w.client_id = $3) < ${MOST_OF_CLIENT}
             AND (NOT $7::boolean OR count(*) FILTER (WHERE w.client_id = $3 AND w.network = $4) < ${MOST_OF_NETWORK})
    )
    INSERT INTO pushed_requests (digest, created_at, expires_at, client_id, network, parameters)
    SELECT $1, $2, $6, $3, $4, $5 FROM room
    RETURNING 1`,
};

/**
 * Once somebody has come, there is time to sign in and to read: 20 minutes, in which the page may be loaded again (RFC 9126 §4).
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
