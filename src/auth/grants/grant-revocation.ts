import type { Clock } from '../../database/clock.js';
import type { Statement, Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';
import type { Grant } from './grant.entity.js';
import { END_SOME, endedWithOwner, TELL_OF_EACH } from './owner-ending.sql.js';

export type GrantKind = Grant['kind'];

/** Selects grants of one user. */
export interface GrantsOfUser {
  readonly userId: string;
  readonly kinds: readonly Exclude<GrantKind, 'client'>[];
  /** The id of the login that stays alive. */
  readonly except?: string;
  /** If set: only grants with a scope that is not in this list. */
  readonly beyond?: readonly string[];
}

/** The most grants that one statement ends. It has time for far more. */
const STEP = 500;
const NO_ID = '00000000-0000-0000-0000-000000000000';

const endGrantsOfClient = (condition: string): string => `
    WITH doomed AS (
      SELECT id FROM grants
       WHERE client_id = $6 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)
         AND id > $7 AND NOT ${endedWithOwner('grants')} ${condition}
       ORDER BY id LIMIT ${STEP} FOR NO KEY UPDATE
    ), revoked AS (${END_SOME}) ${TELL_OF_EACH} RETURNING grant_id`;

/**
 * Ends the client's standing grant and the consents of people. It locks the grants in the order of their ids, like
 * every statement that locks many grants.
 */
const REVOKE_GRANTS_OF_CLIENT: Statement = {
  name: 'revoke_grants_of_client',
  text: endGrantsOfClient(''),
  again: {
    statement: {
      name: 'revoke_grants_of_client_again',
      text: endGrantsOfClient('AND created_at <= $1'),
    },
    step: STEP,
  },
};

/**
 * Ends all grants of a client. The caller must first lock the client's row in an earlier statement. Only then does this
 * one see every grant that was issued meanwhile (issuing locks the row FOR SHARE).
 * @returns the number of grants that it has ended
 */
export async function revokeGrantsOfClient(
  queries: Queries,
  clock: Clock,
  clientId: string,
  reason: string,
  by: Initiator,
): Promise<number> {
  const values = [...revocation(clock, reason, by), clientId];
  let after = NO_ID;
  for (let total = 0; ;) {
    const ended = await queries.run<{ grant_id: string }>(REVOKE_GRANTS_OF_CLIENT, [...values, after]);
    total += ended.length;
    if (ended.length < STEP) return total;
    after = ended.reduce((last, { grant_id: id }) => (id > last ? id : last), after);
  }
}

/** The first five values of statements that end grants: time, reason, actor, IP address and request id. */
export function revocation(clock: Clock, reason: string, { actor, origin }: Initiator): unknown[] {
  return [new Date(clock.now()), reason, actor, origin.ip, origin.requestId];
}
