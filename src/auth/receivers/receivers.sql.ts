import type { Statement } from '../../database/statement.js';

/** The most undelivered events that are counted for one receiver. */
export const COUNTED_MOST = 10_000;

/** Makes concurrent additions of receivers run one after the other, so that each counts the receivers correctly. */
export const LOCK_RECEIVERS: Statement = {
  name: 'lock_receivers',
  text: `SELECT pg_advisory_xact_lock(${0x4b_45_4b_56})`,
};

/** A receiver and the state of its deliveries, for people and for metrics. */
export interface ReceiverRow {
  readonly id: string;
  readonly created_at: Date;
  readonly name: string;
  readonly url: string;
  readonly audience: string;
  readonly events: string[] | null;
  readonly has_authorization: boolean;
  readonly delivered: number;
  readonly refused: number;
  readonly given_up: number;
  readonly last_error: string | null;
  readonly failing_since: Date | null;
  readonly delivered_at: Date | null;
  readonly verified_at: Date | null;
  readonly lost_at: Date | null;
  /** Whether a verification waits to be sent. */
  readonly verifying: boolean;
  readonly undelivered: number;
  readonly oldest_at: Date | null;
}

/** Sorted by name. */
export const LIST_RECEIVERS: Statement = {
  name: 'list_receivers',
  text: `
    SELECT r.id, r.created_at, r.name, r.url, r.audience, r.events, r.sealed_authorization IS NOT NULL AS has_authorization,
           r.delivered::float8, r.refused::float8, r.given_up::float8, r.last_error, r.failing_since, r.delivered_at,
           r.verified_at, r.lost_at,
           EXISTS (SELECT FROM undelivered_events v WHERE v.receiver_id = r.id AND v.seq < 0) AS verifying, b.undelivered, b.oldest_at
      FROM receivers r, LATERAL (
        SELECT count(*)::int AS undelivered, min(happened_at) AS oldest_at
          FROM (SELECT happened_at FROM undelivered_events e WHERE e.receiver_id = r.id ORDER BY seq LIMIT ${COUNTED_MOST}) AS waiting
      ) AS b
     ORDER BY r.name`,
};

/**
 * Queues a verification. Its `seq` is lower than all others, so it is sent first, because somebody waits for it. It
 * replaces earlier verifications that were not sent yet, and it ends the pause of the receiver.
 */
export const QUEUE_VERIFICATION: Statement = {
  name: 'queue_verification',
  text: `
    WITH asked AS (
      UPDATE receivers SET paused_until = NULL WHERE id = $1 RETURNING id
    ), before AS (
      DELETE FROM undelivered_events e USING asked WHERE e.receiver_id = asked.id AND e.seq < 0
    )
    INSERT INTO undelivered_events (receiver_id, seq, event, happened_at, txn, claims)
    SELECT id, - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'verification', $2, $3, jsonb_build_object('state', $3::text)
      FROM asked
    RETURNING id`,
};

export interface SealedRow {
  readonly id: string;
  readonly sealed: Buffer;
}

export const READ_SEALED: Statement = {
  name: 'read_sealed_authorizations',
  text: `SELECT id, sealed_authorization AS sealed FROM receivers WHERE sealed_authorization IS NOT NULL`,
};

/** Replaces the value unless another process has replaced it already. */
export const RESEAL_AUTHORIZATION: Statement = {
  name: 'reseal_authorization',
  text: `UPDATE receivers SET sealed_authorization = $2 WHERE id = $1 AND sealed_authorization = $3`,
};
