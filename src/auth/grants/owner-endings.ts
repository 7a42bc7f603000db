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

/** The number of grants that have ended; `all` if one row ended all of them, without a count. */
export type EndedGrants = { readonly grants: number } | { readonly grants: 'all' };

/** Ends grants in the current transaction. */
export type EndGrants = (of: GrantsOfUser, reason: string, by: Initiator) => Promise<EndedGrants>;

const SAVEPOINT: Statement = { name: 'before_few_grants', text: 'SAVEPOINT before_few_grants' };
const GO_BACK: Statement = { name: 'back_before_few_grants', text: 'ROLLBACK TO before_few_grants' };
/** query_canceled, lock_not_available, deadlock_detected: the statement took too long. */
const TOO_SLOW: readonly (string | undefined)[] = ['57014', '55P03', '40P01'];

/** Owns the end of all grants of a user. The end is exact, and a million grants end as quickly as one. */
@Injectable()
export class OwnerEndings {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
    private readonly sweeper: EndingSweeper,
  ) {}

  /**
   * Runs `work` in a transaction, and then waits for the guards. Before `work` ends grants, it must lock the user's row
   * in a separate statement. Only then does the end see every grant that was issued meanwhile (issuing locks the row
   * FOR SHARE).
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

/** Ends few grants by their own rows. If there are too many, or their rows stay locked too long, one row ends all. */
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
