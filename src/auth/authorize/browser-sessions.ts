import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { BROWSER_AUDIENCE, LoginIssuer } from '../account/login-issuer.js';
import { GrantsService } from '../grants/grants.service.js';
import { LastUse } from '../grants/last-use.js';
import type { RequestOrigin } from '../request-origin.js';
import { TokenCheck } from '../tokens/token-check.js';
import { TokenLookup } from '../tokens/token-lookup.js';
import { TokenReader } from '../tokens/token-reader.js';
import type { VerifiedUser } from '../users/password-login.js';
import type { User } from '../users/user.entity.js';
import { UsersDirectory } from '../users/users-directory.js';
import { BrowserCookies } from './browser-cookies.js';

export interface BrowserSession {
  readonly id: string;
  readonly user: User;
  /** What the cookie holds. */
  readonly token: string;
}

/** Owns that a browser is signed in: a login like any other, whose token is in a cookie and opens nothing but these pages. */
@Injectable()
export class BrowserSessions {
  readonly cookies: BrowserCookies;

  constructor(
    private readonly reader: TokenReader,
    private readonly lookup: TokenLookup,
    private readonly check: TokenCheck,
    private readonly users: UsersDirectory,
    private readonly logins: LoginIssuer,
    private readonly grants: GrantsService,
    private readonly lastUse: LastUse,
    @Inject(CONFIG) config: Config,
  ) {
    this.cookies = new BrowserCookies(config);
  }

  /** Asks the database, as for every token. @throws Unavailable */
  async find(cookie: string | undefined): Promise<BrowserSession | undefined> {
    const token = this.cookies.read(cookie, 'session');
    if (token === undefined) return undefined;
    const read = await this.reader.read(token);
    if ('refused' in read || read.kind !== 'access' || read.format !== 'opaque') return undefined;
    const stored = await this.lookup.accessToken(read);
    if (!stored || this.check.refusal(read, stored)) return undefined;
    const { grantKind, audience, grantId, subject } = stored.principal;
    if (grantKind !== 'login' || audience[0] !== BROWSER_AUDIENCE) return undefined;
    const user = await this.users.find(subject);
    if (!user || user.disabledAt) return undefined;
    this.lastUse.note(grantId);
    return { id: grantId, user, token };
  }

  /** A new one, whoever was there before: what a browser had before a login opens nothing after it. @returns the cookie */
  async begin(
    user: VerifiedUser,
    before: BrowserSession | undefined,
    origin: RequestOrigin,
  ): Promise<string> {
    const token = await this.logins.browserSession(user, origin);
    if (before) {
      const by = { actor: `user:${before.user.name}`, origin };
      await this.grants.revokeOwn(
        { id: before.id, userId: before.user.id, kind: 'login' },
        'signed_in_again',
        by,
      );
    }
    return this.cookies.set('session', token);
  }
}
