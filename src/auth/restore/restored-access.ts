import { Injectable } from '@nestjs/common';
import { Clock, databaseTime } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { SigningKeys } from '../keys/signing-keys.js';
import { OPERATOR } from '../request-origin.js';
import { PasswordHash } from '../users/password-hash.js';
import * as sql from './restored-access.sql.js';
import type { Statement, Queries } from '../../database/statement.js';

const NO_ID = '00000000-0000-0000-0000-000000000000';

export interface Found extends sql.FoundRow {
  /** Who may log in, and which clients may get tokens, now. Nobody knows whether they might before the restore. */
  readonly users: readonly sql.WhoRow[];
  readonly clients: readonly sql.WhichClientRow[];
}

/**
 * Ends what a restored backup brings back besides grants: client secrets that were retired after the backup, passwords
 * that were changed, signing keys that were compromised. The database no longer knows which these are, so everything
 * older than a given time must end. Secrets and passwords end in steps, and newer ones stay, so a run may be
 * interrupted and repeated.
 */
@Injectable()
export class RestoredAccess {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly hash: PasswordHash,
    private readonly keys: SigningKeys,
  ) {}

  /** The time by the database's clock. All times in the database come from that clock. */
  now(): Promise<Date> {
    return databaseTime(this.database);
  }

  /**
   * Counts what to end, and lists the users and clients that the operator should check. Changes nothing.
   * @param on a connection whose statements may take long
   */
  async find(before: Date, on: Queries): Promise<Found> {
    const values = [before, new Date(this.clock.now())];
    const [found] = await on.run<sql.FoundRow>(sql.FIND_RESTORED, values);
    if (!found) throw new Error('a SELECT of counts gave no row');
    const users = await on.run<sql.WhoRow>(sql.ENABLED_USERS, [before]);
    const clients = await on.run<sql.WhichClientRow>(sql.ENABLED_CLIENTS, [before]);
    return { ...found, users, clients };
  }

  /** @returns how many client secrets it has ended */
  endClientSecrets(before: Date, progress: (ended: number) => void): Promise<number> {
    return this.inSteps(sql.END_CLIENT_SECRETS, [before, new Date(this.clock.now())], progress);
  }

  /** The operator gives the users new passwords with `keks user passwd`. @returns how many passwords it has ended */
  endPasswords(before: Date, progress: (ended: number) => void): Promise<number> {
    const values = [before, new Date(this.clock.now()), this.hash.unusable()];
    return this.inSteps(sql.END_PASSWORDS, values, progress);
  }

  /**
   * If old keys were found, adds a key that signs at once and retires all others, so that everything they have signed
   * is dead.
   * @returns how many old keys were found
   */
  async replaceSigningKeys(found: Pick<Found, 'signing_keys'>): Promise<number> {
    if (found.signing_keys > 0)
      await this.keys.rotate({ actor: 'operator', origin: OPERATOR }, { compromised: true });
    return found.signing_keys;
  }

  private async inSteps(
    statement: Statement,
    values: readonly unknown[],
    progress: (ended: number) => void,
  ): Promise<number> {
    let total = 0;
    for (let after: string | null = NO_ID; after !== null;) {
      const [row]: sql.StepRow[] = await this.database.run<sql.StepRow>(statement, [after, ...values]);
      total += row?.ended ?? 0;
      after = row?.last ?? null;
      progress(total);
    }
    return total;
  }
}
