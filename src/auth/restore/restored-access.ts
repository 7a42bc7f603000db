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
  /** Who may log in and who may get tokens now. Nobody knows whether that was so before the restore. */
  readonly users: readonly sql.WhoRow[];
  readonly clients: readonly sql.WhichClientRow[];
}

/**
 * Ends what a restored backup brings back beside grants: secrets that were retired since, passwords that were changed, keys
 * that were compromised. The database no longer knows which ones those are, so everything older has to go. Each part goes in
 * steps and leaves what came afterwards, so it may be interrupted and repeated.
 */
@Injectable()
export class RestoredAccess {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly hash: PasswordHash,
    private readonly keys: SigningKeys,
  ) {}

  /** By the database's clock, which all times in the database are from. */
  now(): Promise<Date> {
    return databaseTime(this.database);
  }

  /**
   * Finds what to end, and which users and clients to look at. Changes nothing.
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

  /** @returns how many */
  endClientSecrets(before: Date, progress: (ended: number) => void): Promise<number> {
    return this.inSteps(sql.END_CLIENT_SECRETS, [before, new Date(this.clock.now())], progress);
  }

  /** The users get in again with `keks user passwd`. @returns how many */
  endPasswords(before: Date, progress: (ended: number) => void): Promise<number> {
    const values = [before, new Date(this.clock.now()), this.hash.unusable()];
    return this.inSteps(sql.END_PASSWORDS, values, progress);
  }

  /** A new key signs at once, and what the others have signed is dead. @returns how many were retired */
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
