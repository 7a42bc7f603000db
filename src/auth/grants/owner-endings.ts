import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import type { Transaction } from '../../database/database.js';
import { sqlState } from '../../database/postgres-error.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { ToldGuards } from '../leases/told-guards.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { EndingSweeper } from './ending-sweeper.js';
import { revocation, type GrantsOfUser } from './grant-revocation.js';
import { END_ALL_GRANTS, END_FEW_GRANTS, type EndedRow } from './owner-ending.sql.js';
import type { Statement, Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';

/** How many grants have ended; `all` if they were too many to count. */
export type EndedGrants = { readonly grants: number } | { readonly grants: 'all' };

/** Ends grants in the transaction in which it is called. */
export type EndGrants = (of: GrantsOfUser, reason: string, by: Initiator) => Promise<EndedGrants>;

const SAVEPOINT: Statement = { name: 'before_few_grants', text: 'SAVEPOINT before_few_grants' };
const GO_BACK: Statement = { name: 'back_before_few_grants', text: 'ROLLBACK TO before_few_grants' };
/** query_canceled, lock_not_available, deadlock_detected: it took too long. */
const TOO_SLOW: readonly (string | undefined)[] = ['57014', '55P03', '40P01'];

/** Owns the end of all of a user's grants: exact, and as quick for a million as for one. */
@Injectable()
export class OwnerEndings {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
    private readonly sweeper: EndingSweeper,
  ) {}

  /**
   * `work` must lock the user's row before it ends grants, in a statement of its own: only then does the end see every grant
   * that was being issued meanwhile (issuing takes the row FOR SHARE).
   */
  async transaction<T>(work: (transaction: Transaction, end: EndGrants) => Promise<T>): Promise<T> {
    const ended: EndedGrants[] = [];
    const result = await this.told.database.transaction((transaction) =>
      work(transaction, async (of, reason, by) => {
        const values = [...revocation(this.clock, reason, by), of.userId, of.kinds];
        const one = await end(transaction, [...values, of.except ?? null, of.beyond ?? null]);
        ended.push(one);
        return one;
      }),
    );
    if (ended.length > 0) await this.told.wait();
    for (const { grants } of ended) {
      if (grants === 'all') this.sweeper.wake();
      else this.telemetry.revoked('grant', grants);
    }
    return result;
  }
}

/** Each by its own row, if they are few and none is locked; otherwise all by one row. */
async function end(queries: Queries, values: unknown[]): Promise<EndedGrants> {
  await queries.run(SAVEPOINT);
  const few = await queries.run<EndedRow>(END_FEW_GRANTS, values).catch((error: unknown) => {
    if (!(error instanceof Unavailable) || !TOO_SLOW.includes(sqlState(error.cause))) throw error;
    return undefined;
  });
  if (!few) await queries.run(GO_BACK);
  else if (few[0] && !few[0].more) return { grants: few[0].revoked };
  await queries.run(END_ALL_GRANTS, values);
  return { grants: 'all' };
}
