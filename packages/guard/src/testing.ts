import type { Principal } from './claims.js';
import { NoVerdict } from './no-verdict.js';
import { TokenValidator, type Validation } from './token-validator.js';

/** Seconds for which a test token is good. */
const LIFETIME = 3_600;

/**
 * Replaces the authority in the tests of an API: it issues tokens, revokes them, and can be away. With Nest:
 * `overrideProvider(TokenValidator).useValue(tokens)`. It sends nothing, signs nothing and stores nothing.
 */
export class TestValidator extends TokenValidator {
  /** True: no verdict, as while the authority is away. The guard answers 503. */
  away = false;
  private readonly issued = new Map<string, Principal>();

  /** @param standard what every token has, unless `issue` gets another value; an API with an `audience` must set it here */
  constructor(private readonly standard: Partial<Principal> = {}) {
    super();
  }

  /** @returns a token that is good from now on, with this scope and the members of `more` */
  issue(scope: string | readonly string[] = [], more: Partial<Principal> = {}): string {
    const number = this.issued.size + 1;
    const token = `test-token-${number}`;
    this.issued.set(token, {
      subject: 'test-subject',
      clientId: 'test-client',
      audience: [],
      expiresAt: Math.floor(Date.now() / 1_000) + LIFETIME,
      tokenId: `test-id-${number}`,
      ...this.standard,
      scope: typeof scope === 'string' ? scope.split(' ').filter(Boolean) : scope,
      ...more,
    });
    return token;
  }

  /** From now on the token is refused. */
  revoke(token: string): void {
    const principal = this.issued.get(token);
    if (principal) this.issued.set(token, { ...principal, expiresAt: 0 });
  }

  /** @throws NoVerdict while it is `away` */
  override async validate(token: string): Promise<Validation> {
    if (this.away) throw new NoVerdict('unreachable', 'The test says that the authority is away.');
    const principal = this.issued.get(token);
    if (!principal) return { active: false, reason: 'unknown' };
    if (principal.expiresAt === 0) return { active: false, reason: 'revoked' };
    if (principal.expiresAt * 1_000 <= Date.now()) return { active: false, reason: 'expired' };
    return { active: true, principal };
  }
}
