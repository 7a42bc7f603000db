import { Injectable } from '@nestjs/common';
import type { Attempts } from '../throttle/login-throttle.js';
import { LoginLane, type LaneShare } from './login-lane.js';
import { PasswordHash } from './password-hash.js';
import { PASSWORD_STRENGTH } from './password-strength.js';
import { PasswordPolicy, type PasswordFlaw } from './password-policy.js';

/** Its hash, or what is wrong with it. */
export type NewPassword = { readonly hash: string } | { readonly flaw: PasswordFlaw };

/** What operators do is seldom, and waits for nobody's flood. */
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
   * @param attempts where estimates that come to nothing are counted, if it is not the operator who asks
   * @throws WireError too_many_requests; Unavailable when too many passwords wait already
   */
  async hashOf(password: string, userName: string, attempts?: Attempts): Promise<NewPassword> {
    const flaw = this.policy.plainFlawOf(password, [userName]);
    if (flaw) return { flaw };
    // before the lane: nobody's login waits for dictionaries
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
