import type { Statement } from '../../database/statement.js';

/** What has failed so often goes behind the rest, so that one event that nobody can take holds nothing up. */
export const ATTEMPTS_IN_ORDER = 5;

/** A receiver that this process sends to for a while. */
export interface ClaimedRow {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly audience: string;
  readonly sealed_authorization: Buffer | null;
}

export interface EventRow {
  readonly seq: string;
  readonly id: string;
  readonly event: string;
  readonly happened_at: Date;
  readonly txn: string;
  readonly user_id: string | null;
  readonly client_id: string | null;
  readonly session_id: string | null;
  readonly token_id: string | null;
  readonly ip: string | null;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly attempts: number;
}

/** `$2` the time, `$3` the end of the lease. One that somebody else has just claimed is passed over. */
export const CLAIM_RECEIVER: Statement = {
  name: 'claim_receiver',
  text: `
    UPDATE receivers SET lease = $1, leased_until = $3
     WHERE id = (
       SELECT r.id FROM receivers r
        WHERE (r.leased_until IS NULL OR r.leased_until <= $2) AND (r.paused_until IS NULL OR r.paused_until <= $2)
          AND EXISTS (SELECT FROM undelivered_events e WHERE e.receiver_id = r.id AND (e.due_at IS NULL OR e.due_at <= $2))
        LIMIT 1 FOR NO KEY UPDATE OF r SKIP LOCKED)
    RETURNING id, name, url, audience, sealed_authorization`,
};

const COLUMNS =
  'seq, id, event, happened_at, txn, user_id, client_id, session_id, token_id, ip, claims, attempts';

/** In the order in which they happened, but for what has failed too often: that comes when nothing else is left, and is due. */
export const NEXT_EVENT: Statement = {
  name: 'next_event',
  text: `
    WITH first AS MATERIALIZED (
      SELECT ${COLUMNS} FROM undelivered_events
       WHERE receiver_id = $1 AND attempts < ${ATTEMPTS_IN_ORDER} ORDER BY seq LIMIT 1
    )
    SELECT * FROM first
    UNION ALL
    (SELECT ${COLUMNS} FROM undelivered_events
      WHERE receiver_id = $1 AND attempts >= ${ATTEMPTS_IN_ORDER} AND due_at <= $2 AND NOT EXISTS (SELECT FROM first)
      ORDER BY seq LIMIT 1)`,
};

const GONE = `gone AS (
      DELETE FROM undelivered_events WHERE receiver_id = $1 AND seq = $2 RETURNING event
    )`;
const RENEWED = 'leased_until = CASE WHEN r.lease = $3 THEN $5 ELSE r.leased_until END';

/** `$2` has been taken at `$4`. All of these answer whether the lease is still ours. */
export const DELIVERED: Statement = {
  name: 'event_delivered',
  text: `
    WITH ${GONE}
    UPDATE receivers r
       SET delivered = r.delivered + (SELECT count(*) FROM gone), delivered_at = $4, failures = 0, failing_since = NULL,
           last_error = NULL, ${RENEWED},
           verified_at = CASE WHEN EXISTS (SELECT FROM gone WHERE event = 'verification') THEN $4 ELSE r.verified_at END
     WHERE r.id = $1
    RETURNING r.lease = $3 AS ours`,
};

/** It will never be taken, for the reason `$6`. The receiver itself works. */
export const REFUSED: Statement = {
  name: 'event_refused',
  text: `
    WITH ${GONE}
    UPDATE receivers r
       SET refused = r.refused + (SELECT count(*) FROM gone), lost_at = $4, failures = 0, failing_since = NULL,
           last_error = $6, ${RENEWED}
     WHERE r.id = $1
    RETURNING r.lease = $3 AS ours`,
};

/**
 * For the reason `$6`. The receiver is left alone for a second, and twice as long each time, up to five minutes; but for what has
 * been put behind the rest (`$8`), which itself is left alone until `$7`. A verification is not tried again: somebody has seen it.
 */
export const FAILED: Statement = {
  name: 'event_failed',
  text: `
    WITH again AS (
      UPDATE undelivered_events e
         SET attempts = attempts + 1, due_at = CASE WHEN attempts + 1 >= ${ATTEMPTS_IN_ORDER} THEN $7::timestamptz END
       WHERE receiver_id = $1 AND seq = $2 AND seq > 0
    ), seen AS (
      DELETE FROM undelivered_events WHERE receiver_id = $1 AND seq = $2 AND seq < 0
    )
    UPDATE receivers r
       SET failures = r.failures + 1, failing_since = coalesce(r.failing_since, $4), last_error = $6, ${RENEWED},
           paused_until = CASE WHEN $8 THEN r.paused_until
                               ELSE $4::timestamptz + make_interval(secs => least(300, 2 ^ least(r.failures, 9))) END
     WHERE r.id = $1
    RETURNING r.lease = $3 AS ours`,
};

/** Others need not wait for its end. */
export const END_LEASE: Statement = {
  name: 'end_receiver_lease',
  text: `UPDATE receivers SET lease = NULL, leased_until = NULL WHERE id = $1 AND lease = $2`,
};

/** So many in one statement. */
export const GIVEN_UP_STEP = 1_000;

/** What one receiver may have waiting, and how much of that may be what strangers can cause by typing passwords. */
export const WAITING_MOST = 10_000;
export const STRANGERS_MOST = 100;

/** What has waited since before `$1`, and the oldest of what is too much, at `$2`. Two who do it at once do not count it twice. */
export const GIVE_UP: Statement = {
  name: 'give_up_events',
  text: `
    WITH over AS (
      SELECT x.receiver_id, x.seq FROM (
        SELECT o.receiver_id, o.seq FROM receivers r, LATERAL (
          SELECT e.receiver_id, e.seq FROM undelivered_events e WHERE e.receiver_id = r.id AND e.seq > 0
           ORDER BY e.seq DESC OFFSET ${WAITING_MOST} LIMIT ${GIVEN_UP_STEP}) AS o
        UNION
        SELECT s.receiver_id, s.seq FROM receivers r, LATERAL (
          SELECT e.receiver_id, e.seq FROM undelivered_events e WHERE e.receiver_id = r.id AND e.event = 'login-throttled'
           ORDER BY e.seq DESC OFFSET ${STRANGERS_MOST} LIMIT ${GIVEN_UP_STEP}) AS s
        UNION
        (SELECT receiver_id, seq FROM undelivered_events WHERE happened_at < $1 LIMIT ${GIVEN_UP_STEP})
      ) AS x ORDER BY x.receiver_id, x.seq LIMIT ${GIVEN_UP_STEP}
    ), locked AS (
      SELECT e.receiver_id, e.seq FROM undelivered_events e JOIN over USING (receiver_id, seq)
         FOR UPDATE OF e SKIP LOCKED
    ), gone AS (
      DELETE FROM undelivered_events e USING locked l WHERE e.receiver_id = l.receiver_id AND e.seq = l.seq
      RETURNING e.receiver_id
    ), counted AS (
      SELECT receiver_id, count(*)::int AS events FROM gone GROUP BY receiver_id
    )
    UPDATE receivers r SET given_up = r.given_up + c.events, lost_at = $2 FROM counted c WHERE r.id = c.receiver_id
    RETURNING r.name, c.events`,
};
