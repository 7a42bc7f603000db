import type { Statement } from '../../database/statement.js';

/** Whether the ending with the alias `ending` covers the grant with the alias `grant`. */
const covers = (ending: string, grant: string): string =>
  `${ending}.user_id = ${grant}.user_id AND ${ending}.epoch >= coalesce(${grant}.epoch, 0)
   AND ${grant}.kind = ANY (${ending}.kinds) AND ${grant}.id IS DISTINCT FROM ${ending}.except_grant_id
   AND NOT coalesce(string_to_array(${grant}.scope, ' ') <@ ${ending}.beyond, false)`;

/**
 * Whether a grant has ended with all of its owner's, although its own row does not say so yet. Every statement that
 * asks whether a grant is alive also asks this. Almost always there are no endings at all, and PostgreSQL checks that
 * once in each statement.
 * @param grant the alias of the grant
 */
export const endedWithOwner = (grant: string): string =>
  `CASE WHEN EXISTS (SELECT FROM owner_endings)
        THEN EXISTS (SELECT FROM owner_endings x WHERE ${covers('x', grant)}) ELSE false END`;

/** Joins the first ending of a grant as `alias`: all NULL if there is none. Put it after the grant. */
export const firstEnding = (grant: string, alias: string): string =>
  `LEFT JOIN LATERAL (
     SELECT x.ended_at, x.reason, x.actor FROM owner_endings x WHERE ${covers('x', grant)} ORDER BY x.epoch LIMIT 1
   ) ${alias} ON true`;

/**
 * Up to this many grants end by a change of their own rows, in the same transaction. If there are more, one row in
 * `owner_endings` ends all of them. A statement has time for far more. An earlier version, which does not know
 * `owner_endings`, still sees ends of up to this many grants.
 */
export const STEP = 500;

/** Ends the grants in `doomed`: $1 is the time, $2 the reason. */
export const END_SOME = `
  UPDATE grants SET revoked_at = $1, revoked_reason = $2 FROM doomed WHERE grants.id = doomed.id
  RETURNING grants.id, grants.kind`;

/** Writes an audit event for each grant in `revoked`: $3 is the actor, $4 the IP address, $5 the request id. */
export const TELL_OF_EACH = `
  INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
  SELECT $1, 'grant.revoked', $3, id, $4, $5, jsonb_build_object('reason', $2::text, 'kind', kind) FROM revoked`;

/** Reads living grants by their index: one more than STEP at most, which shows that there are too many. */
const living = (condition: string): string =>
  `(SELECT id FROM grants WHERE user_id = $6 AND kind = ANY ($7) AND revoked_at IS NULL AND ${condition}
     LIMIT ${STEP + 1})`;

/** For use after a failover: ends the grants that existed at the time of the end, and no grant that was made since. */
const END_GRANTS_AGAIN: Statement = {
  name: 'end_grants_of_user_again',
  text: `
    WITH doomed AS (
      SELECT g.id FROM grants g
       WHERE g.user_id = $6 AND g.kind = ANY ($7) AND g.revoked_at IS NULL AND g.created_at <= $1
         AND g.id IS DISTINCT FROM $8 AND NOT coalesce(string_to_array(g.scope, ' ') <@ $9::text[], false)
         AND NOT ${endedWithOwner('g')}
       ORDER BY g.id LIMIT ${STEP} FOR NO KEY UPDATE OF g
    ), revoked AS (${END_SOME}), told AS (${TELL_OF_EACH})
    SELECT id FROM revoked`,
};
const AGAIN = { statement: END_GRANTS_AGAIN, step: STEP } as const;

export interface EndedRow {
  readonly revoked: number;
  /** True if there were too many; then none has ended. */
  readonly more: boolean;
}

/**
 * Ends up to STEP grants by their own rows. It locks them in the order of their ids, like every statement that locks
 * many grants. The audit log gets an event for each.
 */
export const END_FEW_GRANTS: Statement = {
  name: 'end_few_grants_of_user',
  again: AGAIN,
  text: `
    WITH living AS MATERIALIZED (
      ${living('expires_at > $1')} UNION ALL ${living('expires_at IS NULL')}
    ), doomed AS (
      SELECT g.id FROM grants g
       WHERE g.id = ANY (ARRAY(SELECT id FROM living)) AND (SELECT count(*) FROM living) <= ${STEP} AND g.revoked_at IS NULL
         AND g.id IS DISTINCT FROM $8 AND NOT coalesce(string_to_array(g.scope, ' ') <@ $9::text[], false)
         AND NOT ${endedWithOwner('g')}
       ORDER BY g.id FOR NO KEY UPDATE OF g
    ), revoked AS (${END_SOME}), told AS (${TELL_OF_EACH})
    SELECT (SELECT count(*)::int FROM revoked) AS revoked, (SELECT count(*) FROM living) > ${STEP} AS more`,
};

/** Ends all grants that were issued until now. Grants that are issued from now on belong to the next epoch. */
export const END_ALL_GRANTS: Statement = {
  name: 'end_all_grants_of_user',
  again: AGAIN,
  text: `
    WITH owner AS (UPDATE users SET epoch = epoch + 1 WHERE id = $6 RETURNING id, epoch - 1 AS epoch)
    INSERT INTO owner_endings (ended_at, reason, actor, ip, request_id, user_id, epoch, kinds, except_grant_id, beyond)
    SELECT $1, $2, $3, $4, $5, id, epoch, $7, $8, $9 FROM owner`,
};

/**
 * Makes the planner read along the index, for the rest of the transaction. If a table has grown since ANALYZE, the
 * planner expects few grants for a user, and each step would sort all of a million. `jit` is off because, before
 * PostgreSQL 18, each plan node that is off costs 10,000,000,000. At that cost PostgreSQL compiles the statement to
 * machine code, and that takes longer than a statement may.
 */
export const ALONG_THE_KEY: Statement = {
  name: 'along_the_key',
  text: `
    SELECT set_config(name, 'off', true)
      FROM unnest('{enable_bitmapscan,enable_seqscan,enable_sort,enable_incremental_sort,enable_hashjoin,enable_mergejoin,jit}'::text[])
        AS name`,
};

export interface SweptRow {
  /** The id of the last grant of the step; null if no grant was left. */
  readonly last: string | null;
  readonly revoked: number;
}

/**
 * Reads in the order of the ids, so no grant twice. Skips grants that an earlier ending covers: that ending does them.
 */
export const SWEEP_STEP: Statement = {
  name: 'sweep_owner_ending',
  text: `
    WITH step AS MATERIALIZED (
      SELECT id FROM grants WHERE user_id = $6 AND id > $7 ORDER BY id LIMIT ${STEP}
    ), doomed AS (
      SELECT g.id FROM grants g
       WHERE g.id = ANY (ARRAY(SELECT id FROM step))
         AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $1)
         AND (SELECT x.id FROM owner_endings x WHERE ${covers('x', 'g')} ORDER BY x.epoch, x.id LIMIT 1) = $8
       ORDER BY g.id FOR NO KEY UPDATE OF g
    ), revoked AS (${END_SOME}), told AS (${TELL_OF_EACH})
    SELECT (SELECT max(id::text) FROM step) AS last, (SELECT count(*)::int FROM revoked) AS revoked`,
};
