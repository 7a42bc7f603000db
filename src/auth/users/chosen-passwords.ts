import { Injectable } from '@nestjs/common';
import type { RequestOrigin } from '../request-origin.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import { NewPasswords } from './new-passwords.js';
import type { PasswordFlaw } from './password-policy.js';
import { ResetCodes } from './reset-codes.js';
import { UserChanges } from './user-changes.js';
import { UsersDirectory } from './users-directory.js';

/** `dead`: expired, used, overtaken by another change, or none of ours. Nobody is told which. */
export type ChosenPassword = { readonly user: string } | { readonly flaw: PasswordFlaw | 'dead' };

/** Owns the use of a reset link: its holder chooses a password with it, once. Never who gets a link. */
@Injectable()
export class ChosenPasswords {
  constructor(
    private readonly directory: UsersDirectory,
    private readonly codes: ResetCodes,
    private readonly passwords: NewPasswords,
    private readonly changes: UserChanges,
    private readonly throttle: LoginThrottle,
  ) {}

  /**
   * Ends all earlier logins, keys and consents of the user. If the password is refused, the code stays good.
   * @throws WireError too_many_requests; Unavailable
   */
  async choose(code: string, password: string, origin: RequestOrigin): Promise<ChosenPassword> {
    const codes = this.throttle.resetCodesFrom(origin.ip ?? '');
    await codes.admit();
    const read = this.codes.read(code);
    const user = read && (await this.directory.findWithState(read.userId));
    if (!user || user.disabledAt || !read.fits(user)) {
      await codes.note();
      return { flaw: 'dead' };
    }
    const made = await this.passwords.hashOf(password, user.name, this.throttle.choicesOf(user.id));
    if ('flaw' in made) return made;
    const by = { actor: 'holder', origin };
    const set = await this.changes.resetPassword(user, made.hash, read.name, by);
    return set ? { user: user.name } : { flaw: 'dead' };
  }
}
