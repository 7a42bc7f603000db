import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import type { RefusalReason, Validation } from '../../guard/token-validator.js';
import { LastUse } from '../grants/last-use.js';
import { TokenLookup, type StoredToken } from './token-lookup.js';
import { isOver, TokenReader, type ReadToken } from './token-reader.js';

/** From the text of a token to the verdict. */
@Injectable()
export class TokenCheck {
  constructor(
    private readonly reader: TokenReader,
    private readonly lookup: TokenLookup,
    private readonly lastUse: LastUse,
    private readonly clock: Clock,
  ) {}

  /** Active are access tokens and API keys only. @throws Unavailable */
  async validate(token: string): Promise<Validation> {
    const reading = this.reader.read(token);
    const read = reading instanceof Promise ? await reading : reading;
    if ('refused' in read) return { active: false, reason: read.refused };
    if (read.kind !== 'access' && read.kind !== 'api_key') return { active: false, reason: 'wrong_kind' };
    const stored = await (read.kind === 'access' ? this.lookup.accessToken(read) : this.lookup.apiKey(read));
    const reason = this.refusal(read, stored);
    if (reason !== undefined || stored === undefined) return { active: false, reason: reason ?? 'unknown' };
    this.lastUse.note(stored.principal);
    return { active: true, principal: stored.principal };
  }

  /** Why what the database says makes the token dead; undefined if it does not. */
  refusal(token: ReadToken, stored: StoredToken | undefined): RefusalReason | undefined {
    if (!stored) return 'unknown';
    if (stored.revoked) return 'revoked';
    if (stored.grantRevoked) return 'grant_revoked';
    // time has passed while the database was asked
    if (isOver(token.expiresAt, this.clock)) return 'expired';
    if (stored.grantExpiresAt !== null && stored.grantExpiresAt <= this.clock.now()) return 'grant_expired';
    return undefined;
  }
}
