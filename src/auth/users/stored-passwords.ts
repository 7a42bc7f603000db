import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { SecretKeyRegister } from '../secrets/secret-key-register.js';
import { PasswordHash } from './password-hash.js';
import { userName } from './user-name.js';
import * as sql from './users.sql.js';

/** Somebody who has just proved the password. `passwordHash` is what the proof was against. */
export interface VerifiedUser {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly passwordHash: string;
}

/** Hashes as they stand in the database: compared, and moved to today's parameters while the password is at hand. */
@Injectable()
export class StoredPasswords {
  constructor(
    private readonly database: Database,
    private readonly hash: PasswordHash,
    private readonly secretKeys: SecretKeyRegister,
  ) {}

  match(password: string, stored: string | undefined): Promise<boolean> {
    return this.hash.matches(password, stored);
  }

  /**
   * Of several logins at once one moves it; the others prove their password against what it left. To another key only where
   * that is the newest: two instances in the middle of a rotation would move it to and fro.
   */
  async rehashed(row: sql.UserRow, password: string): Promise<VerifiedUser | undefined> {
    const { password_hash: stored } = row;
    if (!this.hash.isOutdated(stored)) return verified(row);
    if (this.hash.isOfAnotherKey(stored) && !(await this.secretKeys.moves())) return verified(row);
    const fresh = await this.hash.make(password);
    const moved = await this.database.run(sql.REHASH, [row.id, stored, fresh]);
    if (moved.length > 0) return verified({ ...row, password_hash: fresh });
    const [now] = await this.database.run<sql.UserRow>(sql.FIND_BY_NAME, [userName(row.name)?.folded]);
    const same = await this.hash.matches(password, now?.password_hash);
    return now && same && !now.disabled_at ? verified(now) : undefined;
  }
}

function verified({ id, name, scope, password_hash }: sql.UserRow): VerifiedUser {
  return { id, name, scope, passwordHash: password_hash };
}
