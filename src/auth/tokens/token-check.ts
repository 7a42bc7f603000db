import { Injectable } from '@nestjs/common';
import type { Validation } from 'keks-guard';
import { Clock } from '../../database/clock.js';
import { LastUse } from '../grants/last-use.js';
import { Telemetry, type Verdict } from '../telemetry/telemetry.js';
import { TokenLookup, type StoredToken } from './token-lookup.js';
import { TokenReader } from './token-reader.js';
import { type ReadToken, type Refusal, type Reading, isOver } from './read-token.js';

/** Reaches the verdict about the text of a token. */
@Injectable()
export class TokenCheck {
  constructor(
    private readonly reader: TokenReader,
    private readonly lookup: TokenLookup,
    private readonly lastUse: LastUse,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  /** Only access tokens and API keys can be active. @throws Unavailable */
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

  /** Counts a verdict. Introspection, which reaches its own verdicts, calls it too. */
  judged(verdict: Verdict): void {
    this.telemetry.validated(verdict);
  }

  /** @returns why the token is dead, according to the database; undefined if the token is alive */
  refusal(token: ReadToken, stored: StoredToken | undefined): Refusal | undefined {
    if (!stored) return 'unknown';
    // we signed the token, but the token that we issued under this `jti` has another audience
    if (token.audience !== undefined && !stored.principal.audience.includes(token.audience)) return 'forged';
    if (stored.revoked) return stored.revoked;
    // the token may have expired while we waited for the database
    if (isOver(token.expiresAt, this.clock)) return 'expired';
    if (stored.grantEnd !== undefined && stored.grantEnd <= this.clock.now()) return 'grant_expired';
    return undefined;
  }

  private refused(reason: Refusal): Validation {
    this.judged(reason);
    return { active: false, reason };
  }
}
