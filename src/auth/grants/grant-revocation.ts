import type { Clock } from '../../database/clock.js';
import type { Queries, Statement } from '../../database/database.js';

export type GrantKind = 'login' | 'client' | 'api_key';

const REVOKE_GRANTS_OF_USER: Statement = {
  name: 'revoke_grants_of_user',
  text: `UPDATE grants SET revoked_at = $3, revoked_reason = $4
          WHERE user_id = $1 AND kind = ANY ($2) AND revoked_at IS NULL RETURNING id`,
};

/**
 * Must come as its own statement after one that has locked the user's row: only then does it see every grant that
 * was being issued meanwhile (issuing takes the row FOR SHARE).
 */
export async function revokeGrantsOfUser(
  queries: Queries,
  userId: string,
  kinds: readonly GrantKind[],
  reason: string,
  clock: Clock,
): Promise<number> {
  const rows = await queries.run(REVOKE_GRANTS_OF_USER, [userId, kinds, new Date(clock.now()), reason]);
  return rows.length;
}

const REVOKE_GRANTS_OF_CLIENT: Statement = {
  name: 'revoke_grants_of_client',
  text: `UPDATE grants SET revoked_at = $2, revoked_reason = $3
          WHERE client_id = $1 AND revoked_at IS NULL RETURNING id`,
};

/** The same for a client, after its row was locked. */
export async function revokeGrantsOfClient(
  queries: Queries,
  clientId: string,
  reason: string,
  clock: Clock,
): Promise<number> {
  const rows = await queries.run(REVOKE_GRANTS_OF_CLIENT, [clientId, new Date(clock.now()), reason]);
  return rows.length;
}
