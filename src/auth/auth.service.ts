import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { Clock } from '../database/clock.js';
import { TokenValidator, type RefusalReason, type Validation } from '../guard/token-validator.js';
import { Unavailable } from '../http/unavailable.js';
import { WireError } from '../http/wire-error.js';
import type { RequestOrigin } from './request-origin.js';
import { parseScope, scopeOfUser, subset } from './scope.js';
import type { IssuedToken } from './tokens/issued-token.js';
import { parseToken, type Genuine } from './tokens/token-format.js';
import { TokenKeys } from './tokens/token-keys.js';
import { TokenLookup, type StoredToken } from './tokens/token-lookup.js';
import { TokenStore } from './tokens/token-store.js';
import type { VerifiedUser } from './users/users.service.js';

/**
 * Owns the three verbs: issue, validate, revoke. It is also the in-process adapter of the guard's port. How tokens are
 * spelled, stored and looked up belongs to tokens/.
 */
@Injectable()
export class AuthService extends TokenValidator {
  constructor(
    private readonly keys: TokenKeys,
    private readonly lookup: TokenLookup,
    private readonly store: TokenStore,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  /**
   * A token for somebody who has just logged in.
   * @param scope as requested; undefined means all of the user's
   * @throws WireError invalid_scope; Unavailable
   */
  async issue(user: VerifiedUser, scope: string | undefined, origin: RequestOrigin): Promise<IssuedToken> {
    const granted = scopeOfUser(user.scope);
    const wanted = scope === undefined ? granted : parseScope(scope);
    if (!wanted || (scope !== undefined && wanted.length === 0) || !subset(wanted, granted))
      throw new WireError('invalid_scope');
    const issued = await this.store.issueToUser(user, wanted.join(' '), origin);
    if (!issued) throw new Unavailable('the account changed while its password was being checked');
    return issued;
  }

  /** @throws Unavailable when the primary could not be asked */
  override async validate(token: string): Promise<Validation> {
    const parsed = parseToken(token, this.keys);
    if (!parsed.genuine) return refused(parsed.flaw === 'spelling' ? 'malformed' : 'forged');
    if (parsed.kind !== 'access') return refused('wrong_kind');
    if (this.isOver(parsed.expiresAt)) return refused('expired');
    return this.verdict(parsed, await this.lookup.accessToken(parsed));
  }

  /**
   * Takes a token back. Whoever holds it may: possession is the proof. What is no token of ours, or is dead already,
   * is as good as revoked.
   * @throws Unavailable when it is not certain that it was revoked
   */
  async revoke(token: string, origin: RequestOrigin): Promise<void> {
    const parsed = parseToken(token, this.keys);
    if (parsed.genuine && parsed.kind === 'access') await this.store.revokeAccessToken(parsed, origin);
  }

  private verdict(token: Genuine, stored: StoredToken | undefined): Validation {
    if (!stored) return refused('unknown');
    if (stored.revoked) return refused('revoked');
    if (stored.grantRevoked) return refused('grant_revoked');
    if (this.isOver(token.expiresAt)) return refused('expired');
    if (stored.grantExpiresAt !== null && stored.grantExpiresAt <= this.clock.now())
      return refused('grant_expired');
    return { active: true, principal: stored.principal };
  }

  /** Not accepted on or after its expiry, without leeway (RFC 7519 §4.1.4). */
  private isOver(expiresAt: number): boolean {
    return expiresAt * 1_000 <= this.clock.now();
  }

  /** Whole seconds that a token still has. */
  secondsLeft(expiresAt: number): number {
    return Math.max(0, Math.floor(expiresAt - this.clock.now() / 1_000));
  }

  get realm(): string {
    return this.config.REALM;
  }
}

function refused(reason: RefusalReason): Validation {
  return { active: false, reason };
}
