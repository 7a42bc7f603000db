import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { RequestOrigin } from '../request-origin.js';
import type { VerifiedUser } from '../users/users.service.js';
import type { IssuedToken } from './issued-token.js';
import { digestOf, mintToken, type Genuine } from './token-format.js';
import { TokenKeys } from './token-keys.js';
import { ISSUE_TO_USER, REVOKE_ACCESS_TOKEN } from './token-store.sql.js';

/** Writes tokens: each change is one statement, its audit event included, and is committed when the promise resolves. */
@Injectable()
export class TokenStore {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: TokenKeys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * A login and its access token.
   * @returns undefined when the user is no longer as verified: disabled, another password, another scope
   */
  async issueToUser(
    user: VerifiedUser,
    scope: string,
    origin: RequestOrigin,
  ): Promise<IssuedToken | undefined> {
    const lifetime = this.config.ACCESS_TOKEN_TTL;
    const now = this.clock.now();
    const expiresAt = Math.floor(now / 1_000) + lifetime;
    const token = mintToken('kat_', expiresAt, this.keys.current);
    const rows = await this.database.run(ISSUE_TO_USER, [
      user.id,
      user.passwordHash,
      user.scope,
      scope,
      new Date(expiresAt * 1_000),
      digestOf(token),
      this.config.AUDIENCE,
      'opaque',
      origin.ip,
      origin.userAgent,
      origin.requestId,
      new Date(now),
    ]);
    return rows.length > 0 ? { token, expiresIn: lifetime, scope } : undefined;
  }

  /** Idempotent: fifty at once all succeed, and one of them is in the audit log. */
  async revokeAccessToken(token: Genuine, origin: RequestOrigin): Promise<void> {
    await this.database.run(REVOKE_ACCESS_TOKEN, [
      token.digest,
      new Date(token.expiresAt * 1_000),
      new Date(this.clock.now()),
      origin.ip,
      origin.requestId,
    ]);
  }
}
