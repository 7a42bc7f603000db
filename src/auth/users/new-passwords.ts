import { Injectable } from '@nestjs/common';
import type { Attempts } from '../throttle/login-throttle.js';
import { LoginLane, type LaneShare } from './login-lane.js';
import { PasswordHash } from './password-hash.js';
import { PASSWORD_STRENGTH } from './password-strength.js';
import { PasswordPolicy, type PasswordFlaw } from './password-policy.js';

/** Its hash, or what is wrong with it. */
export type NewPassword = { readonly hash: string } | { readonly flaw: PasswordFlaw };

/** Operators rarely do this, and do not wait behind a flood of logins. */
const OPERATORS: LaneShare = { of: ['operators'] };

/** From a password that somebody chose to the hash that is stored, or to what is wrong with it. */
@Injectable()
export class NewPasswords {
  constructor(
    private readonly policy: PasswordPolicy,
    private readonly hash: PasswordHash,
    private readonly lane: LoginLane,
  ) {}

  /**
   * @param attempts counts the passwords that are refused after an estimate; absent for operators
   * @throws WireError too_many_requests; Unavailable when too many passwords wait already
   */
  async hashOf(password: string, userName: string, attempts?: Attempts): Promise<NewPassword> {
    const flaw = this.policy.plainFlawOf(password, [userName]);
    if (flaw) return { flaw };
    // before the lane: no login waits until the dictionaries are loaded
    await PASSWORD_STRENGTH.ready();
    return this.lane.run(attempts ? { of: [`choice ${attempts.of}`] } : OPERATORS, async () => {
      await attempts?.admit();
      if (!(await this.policy.isGuessable(password, [userName])))
        return { hash: await this.hash.make(password) };
      await attempts?.note();
      return { flaw: 'too_common' };
    });
  }

  hashOfUnchecked(password: string): Promise<string> {
    return this.lane.run(OPERATORS, () => this.hash.make(password));
  }
}
