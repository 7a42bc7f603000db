import type { Statement } from '../../database/statement.js';

export interface EndedRow {
  readonly id: string;
  readonly revoked_at: Date;
  readonly revoked_reason: string;
}

/** The most endings that one read returns, the latest first. */
const HEARD_MOST = 500;

/** Uses the index of revoked grants. */
export const ENDED_SINCE: Statement = {
  name: 'grants_ended_since',
  text: `
    SELECT id, revoked_at, revoked_reason FROM grants
     WHERE revoked_at IS NOT NULL AND revoked_at > $1 ORDER BY revoked_at DESC LIMIT ${HEARD_MOST}`,
};

export interface OwnerEndedRow {
  readonly id: string;
  readonly ended_at: Date;
  readonly reason: string;
  readonly actor: string | null;
  readonly ip: string | null;
  readonly request_id: string | null;
  readonly user_id: string;
  readonly kinds: readonly string[];
  readonly except_grant_id: string | null;
  readonly beyond: readonly string[] | null;
}

export const OWNERS_ENDED_SINCE: Statement = {
  name: 'owners_ended_since',
  text: `
    SELECT id, ended_at, reason, actor, ip, request_id, user_id, kinds, except_grant_id, beyond FROM owner_endings
     WHERE ended_at > $1 ORDER BY ended_at DESC LIMIT ${HEARD_MOST}`,
};

/** Locks the grants in the order of their ids, like every statement that locks many grants. */
export const END_HEARD: Statement = {
  name: 'end_heard_grants',
  again: 'same',
  text: `
    WITH doomed AS (
      SELECT g.id, heard.at, heard.reason FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS heard (id, at, reason)
        JOIN grants g ON g.id = heard.id AND g.revoked_at IS NULL
       ORDER BY g.id FOR NO KEY UPDATE OF g
    ), revoked AS (
      UPDATE grants SET revoked_at = doomed.at, revoked_reason = doomed.reason FROM doomed WHERE grants.id = doomed.id
      RETURNING grants.id, grants.kind, doomed.at, doomed.reason
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, detail)
    SELECT at, 'grant.revoked', 'keks', id, jsonb_build_object('reason', reason, 'kind', kind) FROM revoked
    RETURNING grant_id`,
};
