import type { Clock } from '../../database/clock.js';
import type { Statement, Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';
import type { Grant } from './grant.entity.js';
import { END_SOME, endedWithOwner, TELL_OF_EACH } from './owner-ending.sql.js';

export type GrantKind = Grant['kind'];

/** Which of a user's grants. */
export interface GrantsOfUser {
  readonly userId: string;
  readonly kinds: readonly Exclude<GrantKind, 'client'>[];
  /** The login that lives on. */
  readonly except?: string;
  /** Only those that may do more than this. */
  readonly beyond?: readonly string[];
}

/** This many end in one statement, which has time for far more. */
const STEP = 500;
const NO_ID = '00000000-0000-0000-0000-000000000000';

const endGrantsOfClient = (condition: string): string => `
    WITH doomed AS (
      SELECT id FROM grants
       WHERE client_id = $6 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)
         AND id > $7 AND NOT ${endedWithOwner('grants')} ${condition}
       ORDER BY id LIMIT ${STEP} FOR NO KEY UPDATE
    ), revoked AS (${END_SOME}) ${TELL_OF_EACH} RETURNING grant_id`;

/** Both its standing grant and the consents of people. In the order of their ids, like everything that locks many grants. */
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
 * Must be a statement of its own, after one that has locked the client's row: only then does it see every grant that was
 * issued meanwhile (issuing takes the row FOR SHARE).
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

/** The first five values of statements that end grants: when, why, by whom. */
export function revocation(clock: Clock, reason: string, { actor, origin }: Initiator): unknown[] {
  return [new Date(clock.now()), reason, actor, origin.ip, origin.requestId];
}
