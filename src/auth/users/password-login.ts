import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import type { Queries } from '../../database/statement.js';
import { WireError } from '../../http/errors/wire-error.js';
import { audit } from '../audit/audit-event.js';
import type { RequestOrigin } from '../request-origin.js';
import { LoginThrottle, type LoginLimit } from '../throttle/login-throttle.js';
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
        if (user && same) await this.passwords.makeUpFor(user);
        await admitted.failed(async (queries, reached) => {
          await this.note(queries, { user, reason: refusal ?? 'unknown_user', reached }, origin);
        });
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
  private async note(
    queries: Queries,
    { user, reason, reached }: Refused,
    origin: RequestOrigin,
  ): Promise<void> {
    const write = (type: string, detail: object): Promise<void> =>
      audit(queries, this.clock, { type, actor: null, origin, detail });
    await write('login.refused', { user: user?.name ?? null, reason });
    for (const limit of reached) {
      if (limit === 'address') await write('login.throttled', { user: null, limit });
      else if (user) await write('login.throttled', { user: user.name, user_id: user.id, limit });
    }
  }
}

interface Refused {
  readonly user: UserWithHash | null;
  readonly reason: Refusal;
  readonly reached: readonly LoginLimit[];
}

function refusalOf(user: UserWithHash | null, same: boolean): Refusal | undefined {
  if (!user) return 'unknown_user';
  if (!same) return 'wrong_password';
  return user.disabledAt ? 'user_disabled' : undefined;
}
