import type { Principal } from './claims.js';
import { NoVerdict } from './no-verdict.js';
import { TokenValidator, type Validation } from './token-validator.js';

/** Seconds for which a token of a test is good. */
const LIFETIME = 3_600;

/**
 * In place of the authority in the tests of an API: it gives out tokens, takes them back, and can be away. With Nest:
 * `overrideProvider(TokenValidator).useValue(tokens)`. Nothing is sent, nothing is signed, nothing is kept.
 */
export class TestValidator extends TokenValidator {
  /** True: no verdict, as while the authority is away. The guard answers 503. */
  away = false;
  private readonly issued = new Map<string, Principal>();

  /** @param standard what every token has, unless `issue` says otherwise; an API with an `audience` needs it here */
  constructor(private readonly standard: Partial<Principal> = {}) {
    super();
  }

  /** @returns a token that is good from now on, with this scope and whatever else is told of it */
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
