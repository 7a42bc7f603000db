import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import type { Validation } from '../../guard/token-validator.js';
import { LastUse } from '../grants/last-use.js';
import { Telemetry, type Verdict } from '../telemetry.js';
import { TokenLookup, type StoredToken } from './token-lookup.js';
import { isOver, TokenReader, type ReadToken, type Refusal } from './token-reader.js';

/** From the text of a token to the verdict. */
@Injectable()
export class TokenCheck {
  constructor(
    private readonly reader: TokenReader,
    private readonly lookup: TokenLookup,
    private readonly lastUse: LastUse,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  /** Active are access tokens and API keys only. @throws Unavailable */
  async validate(token: string): Promise<Validation> {
    try {
      const reading = this.reader.read(token);
      const read = reading instanceof Promise ? await reading : reading;
      if ('refused' in read) return this.refused(read.refused);
      if (read.kind !== 'access' && read.kind !== 'api_key') return this.refused('wrong_kind');
      const stored = await (read.kind === 'access'
        ? this.lookup.accessToken(read)
        : this.lookup.apiKey(read));
      const reason = this.refusal(read, stored);
      if (reason !== undefined || stored === undefined) return this.refused(reason ?? 'unknown');
      this.lastUse.note(stored.principal);
      this.judged('active');
      return { active: true, principal: stored.principal };
    } catch (error) {
      this.judged('unavailable');
      throw error;
    }
  }

  /** Counts a verdict, also one that was reached elsewhere. */
  judged(verdict: Verdict): void {
    this.telemetry.validated(verdict);
  }

  /** Why what the database says makes the token dead; undefined if it does not. */
  refusal(token: ReadToken, stored: StoredToken | undefined): Refusal | undefined {
    if (!stored) return 'unknown';
    // signed by us, and still not what was issued under this `jti`
    if (token.audience !== undefined && !stored.principal.audience.includes(token.audience)) return 'forged';
    if (stored.revoked) return 'revoked';
    if (stored.grantRevoked) return 'grant_revoked';
    // time has passed while the database was asked
    if (isOver(token.expiresAt, this.clock)) return 'expired';
    if (stored.grantExpiresAt !== null && stored.grantExpiresAt <= this.clock.now()) return 'grant_expired';
    return undefined;
  }

  private refused(reason: Refusal): Validation {
    this.judged(reason);
    return { active: false, reason };
  }
}
