import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { SecretKeyRegister } from '../secrets/secret-key-register.js';
import { PasswordHash } from './password-hash.js';
import { User } from './user.entity.js';
import { UsersDirectory, type UserWithHash } from './users-directory.js';

/** Somebody who has just proved the password. `passwordHash` is the hash that it matched. */
export interface VerifiedUser {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly passwordHash: string;
}

/** Compares passwords with the stored hashes, and renews a hash with today's parameters while the password is at hand. */
@Injectable()
export class StoredPasswords {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly directory: UsersDirectory,
    private readonly hash: PasswordHash,
    private readonly secretKeys: SecretKeyRegister,
  ) {}

  find(name: string): Promise<UserWithHash | null> {
    return this.directory.findWithHash(name);
  }

  findById(id: string): Promise<User | null> {
    return this.directory.find(id);
  }

  match(password: string, stored: string | undefined): Promise<boolean> {
    return this.hash.matches(password, stored);
  }

  /** After a match that lets nobody in all the same. */
  makeUpFor({ passwordHash }: UserWithHash): Promise<void> {
    return this.hash.makeUpFor(passwordHash);
  }

  /**
   * Of several logins at once one moves it; the others prove their password against what it left. To another key only where
   * that is the newest: two instances in the middle of a rotation would move it to and fro.
   */
  async rehashed(user: UserWithHash, password: string): Promise<VerifiedUser | undefined> {
    const { id, name, passwordHash: stored } = user;
    if (!this.hash.isOutdated(stored)) return verified(user);
    if (this.hash.isOfAnotherKey(stored) && !(await this.secretKeys.moves())) return verified(user);
    const passwordHash = await this.hash.make(password);
    const moved = await this.users.update({ id, passwordHash: stored }, { passwordHash });
    if (moved.affected === 1) return verified({ ...user, passwordHash });
    const now = await this.directory.findWithHash(name);
    const same = await this.hash.matches(password, now?.passwordHash);
    return now && same && !now.disabledAt ? verified(now) : undefined;
  }
}

function verified({ id, name, scope, passwordHash }: UserWithHash): VerifiedUser {
  return { id, name, scope, passwordHash };
}
