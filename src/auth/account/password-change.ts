import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { Clock } from '../../database/clock.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { audit } from '../audit/audit-event.js';
import { OwnerEndings } from '../grants/owner-endings.js';
import type { RequestOrigin } from '../request-origin.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import { passwordRefusal } from '../users/new-user-refusal.js';
import { NewPasswords } from '../users/new-passwords.js';
import { PasswordLogin, type VerifiedUser } from '../users/password-login.js';
import { chosenPassword, User } from '../users/user.entity.js';

export interface PasswordChangeRequest {
  readonly oldPassword: string;
  readonly newPassword: string;
  /** Whether the API keys end too. */
  readonly keys: boolean;
}

/** A person sets a new password. The old one is proved as at a login. All other logins of the person end. */
@Injectable()
export class PasswordChange {
  constructor(
    private readonly clock: Clock,
    private readonly login: PasswordLogin,
    private readonly passwords: NewPasswords,
    private readonly endings: OwnerEndings,
    private readonly throttle: LoginThrottle,
  ) {}

  /**
   * @param by the user, and the login that asks
   * @throws WireError invalid_credentials, too_many_requests, weak_password; Unavailable
   */
  async change(
    by: { readonly userId: string; readonly loginId: string },
    request: PasswordChangeRequest,
    origin: RequestOrigin,
  ): Promise<void> {
    const verified = await this.login.verifyAgain(by.userId, request.oldPassword, origin);
    const attempts = this.throttle.choicesOf(by.userId);
    const made = await this.passwords.hashOf(request.newPassword, verified.name, attempts);
    if ('flaw' in made) throw passwordRefusal(made.flaw, 'new_password');
    await this.replace(verified, made.hash, { except: by.loginId, keys: request.keys }, origin);
  }

  private async replace(
    { id, name, passwordHash }: VerifiedUser,
    hash: string,
    { except, keys }: { except: string; keys: boolean },
    origin: RequestOrigin,
  ): Promise<void> {
    await this.endings.transaction(async (transaction, end) => {
      // only if the password is still the one that was checked
      const changed = await transaction.entities.update(
        User,
        { id, passwordHash, disabledAt: IsNull() },
        chosenPassword(hash),
      );
      if (changed.affected !== 1)
        throw new Unavailable('the account changed while its password was being checked');
      const by = { actor: `user:${name}`, origin };
      const kinds = keys ? (['login', 'api_key', 'consent'] as const) : (['login'] as const);
      const others = { userId: id, kinds, except };
      await end(others, 'password_changed', by);
      const event = {
        type: 'user.password_changed',
        ...by,
        grantId: except,
        detail: { user: name, user_id: id, keys },
      };
      await audit(transaction, this.clock, event);
    });
  }
}
