import type { Clock } from '../../database/clock.js';
import type { Queries, Statement } from '../../database/database.js';
import type { Revoker } from '../tokens/token-revocation.js';

export type GrantKind = 'login' | 'client' | 'api_key';

/** Which of a user's grants. */
export interface GrantsOfUser {
  readonly userId: string;
  readonly kinds: readonly Exclude<GrantKind, 'client'>[];
  /** The login that lives on. */
  readonly except?: string;
  /** Only those that may do more than this. */
  readonly beyond?: readonly string[];
}

/** Grants in one statement, which takes them far less than the time that a statement has. */
const STEP = 2_000;

/** In the order of their ids, as whoever else locks many grants does; each one's end is in the audit log. */
const revokeGrants = (name: string, condition: string): Statement => ({
  name,
  text: `
    WITH doomed AS (
      SELECT id FROM grants
       WHERE ${condition} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)
       ORDER BY id LIMIT ${STEP} FOR NO KEY UPDATE
    ), revoked AS (
      UPDATE grants SET revoked_at = $1, revoked_reason = $2 FROM doomed WHERE grants.id = doomed.id
      RETURNING grants.id, grants.kind
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $1, 'grant.revoked', $3, id, $4, $5, jsonb_build_object('reason', $2::text, 'kind', kind) FROM revoked
    RETURNING grant_id`,
});

const REVOKE_GRANTS_OF_USER = revokeGrants(
  'revoke_grants_of_user',
  `user_id = $6 AND kind = ANY ($7) AND id IS DISTINCT FROM $8
   AND NOT coalesce(string_to_array(scope, ' ') <@ $9::text[], false)`,
);

const REVOKE_GRANTS_OF_CLIENT = revokeGrants('revoke_grants_of_client', 'client_id = $6');

/**
 * Must come as its own statement after one that has locked the user's row: only then does it see every grant that
 * was being issued meanwhile (issuing takes the row FOR SHARE).
 */
export async function revokeGrantsOfUser(
  queries: Queries,
  clock: Clock,
  { userId, kinds, except, beyond }: GrantsOfUser,
  reason: string,
  by: Revoker,
): Promise<number> {
  const values = [...revocation(clock, reason, by), userId, kinds, except ?? null, beyond ?? null];
  return inSteps(queries, REVOKE_GRANTS_OF_USER, values);
}

/** The same for a client, after its row was locked. */
export async function revokeGrantsOfClient(
  queries: Queries,
  clock: Clock,
  clientId: string,
  reason: string,
  by: Revoker,
): Promise<number> {
  return inSteps(queries, REVOKE_GRANTS_OF_CLIENT, [...revocation(clock, reason, by), clientId]);
}

/** All in the transaction of the caller: some of them are never ended without the others. */
async function inSteps(queries: Queries, statement: Statement, values: unknown[]): Promise<number> {
  for (let total = 0; ;) {
    const revoked = (await queries.run(statement, values)).length;
    total += revoked;
    if (revoked < STEP) return total;
  }
}

function revocation(clock: Clock, reason: string, { actor, origin }: Revoker): unknown[] {
  return [new Date(clock.now()), reason, actor, origin.ip, origin.requestId];
}
