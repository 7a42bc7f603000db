import { Injectable } from '@nestjs/common';
import { TokenValidator, type Validation } from 'keks-guard';
import { Refusals } from './audit/refusals.js';
import { LoginIssuer, type LoginRequest } from './account/login-issuer.js';
import type { RequestOrigin } from './request-origin.js';
import type { IssuedToken } from './tokens/issued-token.js';
import { TokenCheck } from './tokens/token-check.js';
import { TokenReader } from './tokens/token-reader.js';
import { TokenRevocation } from './tokens/token-revocation.js';
import type { VerifiedUser } from './users/password-login.js';

/**
 * Owns the three verbs: issue, validate, revoke. It is also the in-process adapter of the guard's port. tokens/ owns
 * how tokens are spelled, stored and looked up.
 */
@Injectable()
export class AuthService extends TokenValidator {
  constructor(
    private readonly logins: LoginIssuer,
    private readonly check: TokenCheck,
    private readonly reader: TokenReader,
    private readonly revocation: TokenRevocation,
    private readonly refusals: Refusals,
  ) {
    super();
  }

  /**
   * Issues a token to a user who has just proved the password.
   * @throws WireError invalid_scope; Unavailable
   */
  issue(user: VerifiedUser, request: LoginRequest, origin: RequestOrigin): Promise<IssuedToken> {
    const refused = { type: 'token.refused', actor: `user:${user.name}`, origin } as const;
    return this.refusals.noting(refused, () => this.logins.issue(user, request, origin));
  }

  /** @throws Unavailable if the primary gave no answer */
  override validate(token: string): Promise<Validation> {
    return this.check.validate(token);
  }

  /**
   * Revokes a token. Everybody who holds the token may do that: possession is the proof. A text that is no token of
   * ours, or a token that is dead already, counts as revoked.
   * @throws Unavailable when it is not certain that it was revoked
   */
  async revoke(token: string, origin: RequestOrigin): Promise<void> {
    const read = await this.reader.read(token);
    if (!('refused' in read)) await this.revocation.revoke(read, { actor: 'holder', origin });
  }
}
