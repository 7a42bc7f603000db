import type { Clock } from '../../database/clock.js';
import type { Statement, Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';

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

const endGrantsOfClient = (condition: string): string => `
    WITH revoked AS (
      UPDATE grants SET revoked_at = $1, revoked_reason = $2
       WHERE client_id = $6 AND kind = 'client' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) ${condition}
      RETURNING id, kind
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, ip, request_id, detail)
    SELECT $1, 'grant.revoked', $3, id, $4, $5, jsonb_build_object('reason', $2::text, 'kind', kind) FROM revoked
    RETURNING grant_id`;

/** One is alive at most: the standing one. */
const REVOKE_GRANTS_OF_CLIENT: Statement = {
  name: 'revoke_grants_of_client',
  text: endGrantsOfClient(''),
  again: {
    statement: {
      name: 'revoke_grants_of_client_again',
      text: endGrantsOfClient('AND created_at <= $1'),
    },
    // all of them at once
    step: Infinity,
  },
};

/**
 * Must come as its own statement after one that has locked the client's row: only then does it see every grant that
 * was being issued meanwhile (issuing takes the row FOR SHARE).
 */
export async function revokeGrantsOfClient(
  queries: Queries,
  clock: Clock,
  clientId: string,
  reason: string,
  by: Initiator,
): Promise<number> {
  const values = [...revocation(clock, reason, by), clientId];
  return (await queries.run(REVOKE_GRANTS_OF_CLIENT, values)).length;
}

/** The first five values of statements that end grants: when, why, by whom. */
export function revocation(clock: Clock, reason: string, { actor, origin }: Initiator): unknown[] {
  return [new Date(clock.now()), reason, actor, origin.ip, origin.requestId];
}
