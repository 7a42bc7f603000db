import { Inject, Injectable } from '@nestjs/common';
import { BearerError } from 'keks-guard';
import type { GrantedPrincipal } from 'keks-guard/internals';
import { CONFIG, type Config } from '../../config/config.js';
import { resourceChallenge } from '../discovery/well-known.js';
import type { RequestOrigin } from '../request-origin.js';
import { TokenReader } from '../tokens/token-reader.js';
import { PasswordLogin } from '../users/password-login.js';
import { ApiKeysService, type IssuedApiKey, type NewApiKey } from './api-keys.service.js';

export interface KeyOrder {
  /** The one that asks, as it was sent. */
  readonly token: string;
  readonly password: string;
  readonly wanted: NewApiKey;
}

/**
 * A key may outlive the login that makes it by years. So a token alone, which may be stolen, makes no key: the password is
 * proved again, and the key can do no more than the token.
 */
@Injectable()
export class ApiKeyIssuer {
  constructor(
    private readonly reader: TokenReader,
    private readonly login: PasswordLogin,
    private readonly keys: ApiKeysService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws WireError invalid_credentials, too_many_requests, invalid_scope; BearerError invalid_token; Unavailable */
  async issue(
    by: GrantedPrincipal,
    { token, password, wanted }: KeyOrder,
    origin: RequestOrigin,
  ): Promise<IssuedApiKey> {
    const user = await this.login.verifyAgain(by.subject, password, origin);
    const read = await this.reader.read(token);
    const issued =
      'refused' in read
        ? undefined
        : await this.keys.issue({ user, loginId: by.grantId, token: read, scope: by.scope }, wanted, origin);
    // the token was valid when the guard checked it, but ended before the key was made
    if (!issued) throw new BearerError('invalid_token', resourceChallenge(this.config));
    return issued;
  }
}
