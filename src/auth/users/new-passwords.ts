import { Injectable } from '@nestjs/common';
import { LoginLane } from './login-lane.js';
import { PasswordHash } from './password-hash.js';
import { PasswordPolicy, type PasswordFlaw } from './password-policy.js';

/** From a password that somebody chose to the hash that is stored, or to what is wrong with it. */
@Injectable()
export class NewPasswords {
  constructor(
    private readonly policy: PasswordPolicy,
    private readonly hash: PasswordHash,
    private readonly lane: LoginLane,
  ) {}

  /** @throws Unavailable when too many passwords wait already */
  async hashOf(password: string, userName: string): Promise<{ hash: string } | { flaw: PasswordFlaw }> {
    const flaw = await this.policy.flawOf(password, [userName]);
    return flaw ? { flaw } : { hash: await this.hashOfUnchecked(password) };
  }

  hashOfUnchecked(password: string): Promise<string> {
    return this.lane.run(() => this.hash.make(password));
  }
}
