import { Injectable } from '@nestjs/common';
import { BROWSER_AUDIENCE } from '../account/login-issuer.js';
import { LastUse } from '../grants/last-use.js';
import { TokenCheck } from '../tokens/token-check.js';
import { TokenLookup } from '../tokens/token-lookup.js';
import { TokenReader } from '../tokens/token-reader.js';
import type { User } from '../users/user.entity.js';
import { UsersDirectory } from '../users/users-directory.js';

export interface BrowserSession {
  readonly id: string;
  readonly user: User;
  /** The value of the cookie. */
  readonly token: string;
}

/** Owns browser sessions. Each is a login like any other; its token is in a cookie and opens only these pages. */
@Injectable()
export class BrowserSessions {
  constructor(
    private readonly reader: TokenReader,
    private readonly lookup: TokenLookup,
    private readonly check: TokenCheck,
    private readonly users: UsersDirectory,
    private readonly lastUse: LastUse,
  ) {}

  /** Asks the database about the session, as about every token. @throws Unavailable */
  async find(token: string | undefined): Promise<BrowserSession | undefined> {
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
}
