import { Injectable } from '@nestjs/common';
import type { Validation } from 'keks-guard';
import { Clock } from '../../database/clock.js';
import { LastUse } from '../grants/last-use.js';
import { Telemetry, type Verdict } from '../telemetry/telemetry.js';
import { TokenLookup, type StoredToken } from './token-lookup.js';
import { TokenReader } from './token-reader.js';
import { type ReadToken, type Refusal, type Reading, isOver } from './read-token.js';

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
  validate(token: string): Promise<Validation> {
    const reading = this.reader.read(token);
    return reading instanceof Promise
      ? reading.then((read) => this.judge(read), this.unavailable)
      : this.judge(reading);
  }

  private judge(read: Reading): Promise<Validation> {
    if ('refused' in read) return Promise.resolve(this.refused(read.refused));
    if (read.kind !== 'access' && read.kind !== 'api_key') return Promise.resolve(this.refused('wrong_kind'));
    const found = read.kind === 'access' ? this.lookup.accessToken(read) : this.lookup.apiKey(read);
    return found.then((stored) => this.verdict(read, stored), this.unavailable);
  }

  private verdict(read: ReadToken, stored: StoredToken | undefined): Validation {
    const reason = this.refusal(read, stored);
    if (reason !== undefined || stored === undefined) return this.refused(reason ?? 'unknown');
    this.lastUse.note(stored.principal.grantId);
    this.judged('active');
    return { active: true, principal: stored.principal };
  }

  private readonly unavailable = (error: unknown): never => {
    this.judged('unavailable');
    throw error;
  };

  /** Counts a verdict, also if it was reached elsewhere. */
  judged(verdict: Verdict): void {
    this.telemetry.validated(verdict);
  }

  /** Why the token is dead by what the database says; undefined if it is not. */
  refusal(token: ReadToken, stored: StoredToken | undefined): Refusal | undefined {
    if (!stored) return 'unknown';
    // signed by us, and still not what was issued under this `jti`
    if (token.audience !== undefined && !stored.principal.audience.includes(token.audience)) return 'forged';
    if (stored.revoked) return stored.revoked;
    // time has passed while the database was asked
    if (isOver(token.expiresAt, this.clock)) return 'expired';
    if (stored.grantEnd !== undefined && stored.grantEnd <= this.clock.now()) return 'grant_expired';
    return undefined;
  }

  private refused(reason: Refusal): Validation {
    this.judged(reason);
    return { active: false, reason };
  }
}
