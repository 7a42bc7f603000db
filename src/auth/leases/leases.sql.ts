import type { Statement } from '../../database/statement.js';

/** Names the log: cluster, timeline and database. In another place, the log is another one. */
const PLACE = `(SELECT system_identifier::text FROM pg_control_system()) || '-' ||
  left(pg_walfile_name(pg_current_wal_lsn()), 8) || '-' || (SELECT oid::text FROM pg_database WHERE datname = current_database())`;

export interface RenewedRow {
  readonly place: string;
  readonly applied: string;
}

/**
 * Writes the entry of an instance; it is committed before the log is read. $3 is what all of the instance's guards have
 * applied, and NULL if no guard may hold a lease. If $6, the place that $3 belongs to, is not this place, the entry
 * says that they have applied nothing.
 */
export const RENEW_LEASE: Statement = {
  name: 'renew_guard_lease',
  text: `
    WITH here AS (SELECT ${PLACE} AS place), renewed AS (
      INSERT INTO guard_leases (instance, beat, applied, ttl_ms, guards, renewed_at)
      SELECT $1, $2, CASE WHEN $6::text IS DISTINCT FROM place AND $3::text IS NOT NULL THEN '1:1:'
                          ELSE coalesce($3::text::pg_snapshot, pg_current_snapshot()) END, $4, $5, clock_timestamp()
        FROM here
      ON CONFLICT (instance) DO UPDATE
         SET beat = excluded.beat, applied = excluded.applied, ttl_ms = excluded.ttl_ms, guards = excluded.guards,
             renewed_at = excluded.renewed_at
      RETURNING applied::text AS applied
    )
    SELECT place, applied FROM here, renewed`,
};

export interface RevocationRow {
  readonly place: string;
  readonly snapshot: string;
  /** Null, like all fields below, if the row has no revocation. */
  readonly id: string | null;
  readonly xid: string;
  readonly kind: RevocationKind;
  readonly value: string;
  readonly subject: string | null;
  /** Seconds since the epoch. */
  readonly expires_at: number;
}

export interface NewRow extends RevocationRow {
  /** Whether the reader's entry is in the register. */
  readonly entered: boolean;
}

export type RevocationKind = 'token' | 'grant' | 'subject' | 'actor' | 'key' | 'all';

const COLUMNS = `id::text, xid::text, kind, value, subject, ceil(extract(epoch FROM expires_at))::float8 AS expires_at`;

/**
 * The revocations that the snapshot $1 did not see. One row more than the caller keeps says that there are too many.
 */
export const READ_NEW: Statement = {
  name: 'read_new_revocations',
  text: `
    SELECT ${PLACE} AS place, pg_current_snapshot()::text AS snapshot, r.*,
           EXISTS (SELECT FROM guard_leases WHERE instance = $3 AND beat = $4) AS entered
      FROM (SELECT) AS one LEFT JOIN LATERAL (
        SELECT ${COLUMNS} FROM revocations
         WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
         ORDER BY revocations.id LIMIT $2
      ) AS r ON true`,
};

/** All revocations, in the order of their ids. */
export const READ_PAGE: Statement = {
  name: 'read_revocations',
  text: `
    SELECT ${PLACE} AS place, pg_current_snapshot()::text AS snapshot, r.*
      FROM (SELECT) AS one LEFT JOIN LATERAL (
        SELECT ${COLUMNS} FROM revocations WHERE id > $1 ORDER BY revocations.id LIMIT $2
      ) AS r ON true`,
};

/** The entry as it was last written ($2): a statement that a slow link delivers late must not delete a later one. */
export const LEAVE_REGISTER: Statement = {
  name: 'leave_guard_leases',
  text: `DELETE FROM guard_leases WHERE instance = $1 AND beat = $2`,
};

/** For people: the guards of the entry. */
export const DESCRIBE: Statement = {
  name: 'describe_guards',
  text: `UPDATE guard_leases SET holders = $2::json, described_at = clock_timestamp() WHERE instance = $1`,
};

/** A guard, as its instance describes it. */
export interface DescribedGuard {
  readonly guard: string;
  /** Milliseconds that were left of its lease when it was described. */
  readonly left: number;
  readonly behind: number;
  readonly awaited: number;
}

export interface InstanceRow {
  readonly instance: string;
  readonly guards: number;
  readonly ttl_ms: number;
  /** Milliseconds since the entry was renewed. */
  readonly renewed: number;
  readonly unconfirmed: number;
  readonly holders: readonly DescribedGuard[] | null;
  /** Milliseconds since the guards were described; null if they never were, or the instance runs an older version. */
  readonly described: number | null;
}

/** The most unconfirmed revocations that are counted. */
export const UNCONFIRMED_MOST = 10_000;

export const READ_INSTANCES: Statement = {
  name: 'read_instances_with_guards',
  text: `
    SELECT instance, guards, ttl_ms, holders, (
             SELECT count(*)::int FROM (
               SELECT FROM revocations
                WHERE xid >= pg_snapshot_xmin(applied) AND NOT pg_visible_in_snapshot(xid, applied)
                LIMIT ${UNCONFIRMED_MOST}) AS r) AS unconfirmed,
           (extract(epoch FROM clock_timestamp() - renewed_at) * 1000)::float8 AS renewed,
           (extract(epoch FROM clock_timestamp() - described_at) * 1000)::float8 AS described
      FROM guard_leases ORDER BY instance`,
};

export interface UnconfirmedRow {
  readonly instance: string;
  readonly beat: string;
  readonly ttl_ms: number;
  readonly missing: string[];
}

/**
 * Finds the instances whose guards may not have applied everything that is in the log by now. It runs after the commit,
 * with its own snapshot. If the register is empty, it reads nothing else.
 */
export const UNCONFIRMED: Statement = {
  name: 'unconfirmed_revocations',
  text: `
    SELECT l.instance, l.beat::text, l.ttl_ms, array_agg(DISTINCT r.xid::text) AS missing
      FROM guard_leases l
      JOIN revocations r ON r.xid >= pg_snapshot_xmin(l.applied) AND NOT pg_visible_in_snapshot(r.xid, l.applied)
                        AND r.xid < pg_snapshot_xmax(pg_current_snapshot())
     GROUP BY l.instance, l.beat, l.ttl_ms`,
};

export interface RegisteredRow {
  readonly instance: string;
  readonly beat: string;
  readonly applied: string;
}

export const READ_REGISTER: Statement = {
  name: 'read_guard_leases',
  text: `SELECT instance, beat::text, applied::text FROM guard_leases WHERE instance = ANY ($1::uuid[])`,
};

/** Deletes the entry of an instance that has not renewed it for the time of a lease. None of its guards holds one. */
export const STRIKE_OUT: Statement = {
  name: 'strike_out_guard_lease',
  text: `DELETE FROM guard_leases WHERE instance = $1 AND beat = $2`,
};

export const CHANNEL = 'keks_revocations';

/** Runs in a separate transaction, not in that of the revoke: NOTIFY makes a commit slow, and this one may be lost. */
export const RING: Statement = { name: 'ring_for_revocations', text: `SELECT pg_notify('${CHANNEL}', '')` };

const LEAVES = 'leaves ';

/**
 * Tells all instances that a guard stops. The guard says so over another connection than the one of its polls, and that
 * may lead to another instance.
 */
export const TELL_LEAVING: Statement = {
  name: 'tell_leaving_guard',
  text: `SELECT pg_notify('${CHANNEL}', '${LEAVES}' || $1)`,
};

/** @returns the guard that leaves; undefined if the payload of the notification does not say that one leaves */
export function leavingGuard(payload: string | undefined): string | undefined {
  return payload?.startsWith(LEAVES) ? payload.slice(LEAVES.length) : undefined;
}
