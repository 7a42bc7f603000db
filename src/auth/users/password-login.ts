import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { WireError } from '../../http/errors/wire-error.js';
import { audit } from '../audit/audit-event.js';
import type { RequestOrigin } from '../request-origin.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import { LoginLane } from './login-lane.js';
import { StoredPasswords, type VerifiedUser } from './stored-passwords.js';
import type { UserWithHash } from './users-directory.js';
import { userName } from './user-name.js';

export type { VerifiedUser };

type Refusal = 'unknown_user' | 'wrong_password' | 'user_disabled';

/** From a name and a password to the user, or to nothing: every attempt is counted, and all failures look alike. */
@Injectable()
export class PasswordLogin {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly passwords: StoredPasswords,
    private readonly throttle: LoginThrottle,
    private readonly lane: LoginLane,
  ) {}

  /**
   * An unknown user, a disabled user and a wrong password give the same: undefined, after the same time.
   * @throws WireError too_many_requests; Unavailable
   */
  async verify(
    name: string,
    password: string,
    origin: RequestOrigin,
    device?: string,
  ): Promise<VerifiedUser | undefined> {
    const account = userName(name)?.folded ?? '';
    const isSomebody = (await this.passwords.find(name)) !== null;
    const attempt = { account, isSomebody, ip: origin.ip ?? '', proof: device };
    const { share } = await this.throttle.admit(attempt);
    // asked again inside the lane, where only a few run at a time: otherwise all who queued together would slip past the
    // limit
    return this.lane.run(share, async () => {
      const admitted = await this.throttle.admit(attempt);
      const user = await this.passwords.find(name);
      const same = await this.passwords.match(password, user?.passwordHash);
      const refusal = refusalOf(user, same);
      if (!user || refusal) {
        await admitted.failed();
        await this.note(user?.name ?? null, refusal ?? 'unknown_user', origin);
        return undefined;
      }
      await admitted.succeeded();
      if (share.isNew) this.lane.wasOf(admitted.known);
      return this.passwords.rehashed(user, password);
    });
  }

  /**
   * The same for somebody who has shown a token and types the password again: counted and throttled like a login.
   * @throws WireError invalid_credentials, too_many_requests; Unavailable
   */
  async verifyAgain(userId: string, password: string, origin: RequestOrigin): Promise<VerifiedUser> {
    const user = await this.passwords.findById(userId);
    const verified = user && (await this.verify(user.name, password, origin));
    if (!verified) throw new WireError('invalid_credentials');
    return verified;
  }

  /** A name that nobody has is not kept: people type passwords into the wrong field. */
  private async note(user: string | null, reason: Refusal, origin: RequestOrigin): Promise<void> {
    const event = { type: 'login.refused', actor: null, origin, detail: { user, reason } };
    await audit(this.database, this.clock, event);
  }
}

function refusalOf(user: UserWithHash | null, same: boolean): Refusal | undefined {
  if (!user) return 'unknown_user';
  if (!same) return 'wrong_password';
  return user.disabledAt ? 'user_disabled' : undefined;
}
