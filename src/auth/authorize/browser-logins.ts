import { Injectable } from '@nestjs/common';
import { LoginIssuer } from '../account/login-issuer.js';
import { GrantsService } from '../grants/grants.service.js';
import type { RequestOrigin } from '../request-origin.js';
import { PasswordLogin } from '../users/password-login.js';
import type { BrowserSession } from './browser-sessions.js';

/** Signs a person in with a browser, through the same lane and throttle as POST /issue. */
@Injectable()
export class BrowserLogins {
  constructor(
    private readonly login: PasswordLogin,
    private readonly logins: LoginIssuer,
    private readonly grants: GrantsService,
  ) {}

  /**
   * Begins a new session and ends the browser's session before it: after a login, an earlier cookie opens nothing.
   * @returns the session's token; undefined if the name or the password is wrong
   * @throws WireError too_many_requests; Unavailable
   */
  async begin(
    { user, password }: { readonly user: string; readonly password: string },
    before: BrowserSession | undefined,
    origin: RequestOrigin,
  ): Promise<string | undefined> {
    const verified = await this.login.verify(user, password, origin);
    if (!verified) return undefined;
    const token = await this.logins.browserSession(verified, origin);
    if (before) {
      const grant = { id: before.id, userId: before.user.id, kind: 'login' } as const;
      await this.grants.revokeOwn(grant, 'signed_in_again', { actor: `user:${verified.name}`, origin });
    }
    return token;
  }
}
