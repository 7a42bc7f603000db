import type { Statement } from '../../database/statement.js';

/** An event that has failed this often goes behind the rest, so that it does not hold up the other events. */
export const ATTEMPTS_IN_ORDER = 5;

/** A receiver whose lease this process holds. */
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

/**
 * Claims a receiver that has due events: `$1` is the lease, `$2` the time, `$3` the end of the lease. Skips a receiver
 * that another process is claiming.
 */
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

/**
 * The next event, in the order in which they happened. An event that has failed too often comes only when no other
 * event is left, and when it is due.
 */
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

/**
 * The receiver took the event `$2` at `$4`. This statement and the next two renew the lease `$3` until `$5`, and answer
 * whether it is still ours.
 */
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

/** The receiver will never take the event, for the reason `$6`. The receiver itself works. */
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
 * An attempt has failed, for the reason `$6`. The receiver pauses for 1 s, and twice as long after each further
 * failure, up to five minutes. If the event was behind the rest already (`$8`), the receiver does not pause. An event
 * behind the rest waits until `$7`. A verification is not tried again: an operator waits for its result and sees the
 * failure.
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

/** Ends the lease now, so that other processes need not wait until it expires. */
export const END_LEASE: Statement = {
  name: 'end_receiver_lease',
  text: `UPDATE receivers SET lease = NULL, leased_until = NULL WHERE id = $1 AND lease = $2`,
};

/** The most events that one statement gives up. */
export const GIVEN_UP_STEP = 1_000;

/** How many events may wait for one receiver; and how many of the kind that strangers cause by trying passwords. */
export const WAITING_MOST = 10_000;
export const STRANGERS_MOST = 100;

/**
 * Gives up, at `$2`, the events that happened before `$1`, and the oldest events beyond the two limits. If two
 * processes run it at once, no event is counted twice.
 */
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
