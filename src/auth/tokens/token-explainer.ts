import { Injectable } from '@nestjs/common';
import type { RefusalReason } from 'keks-guard';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { FACTS, type FactsRow } from './token-explainer.sql.js';
import { NO_EXPIRY, parseToken, type Parsed, type TokenKind } from './token-format.js';
import { TokenKeys } from './token-keys.js';
import { TokenReader } from './token-reader.js';
import { isOver } from './read-token.js';

/**
 * One reason why an API refuses a token. The text alone shows `spelling`, `checksum`, `key` and `mac` of an opaque
 * token, and `malformed` and `forged` of a JWT.
 */
export type TokenFlaw =
  | Exclude<RefusalReason, 'wrong_audience' | 'inactive'>
  | Extract<Parsed, { genuine: false }>['flaw']
  | 'used'
  | 'source_revoked'
  | 'actor_ended';

export interface Explanation {
  readonly kind: TokenKind | null;
  readonly format: 'opaque' | 'jwt' | null;
  /** Whole seconds since the epoch; null if the token never expires, or if its expiry is unknown. */
  readonly expiresAt: number | null;
  /** Every reason, the first cause first. If there is none, an API would accept the token. */
  readonly flaws: readonly TokenFlaw[];
  /** What the database says; undefined if it has no row for the token. */
  readonly facts: FactsRow | undefined;
}

interface Made {
  readonly kind: TokenKind;
  readonly format: 'opaque' | 'jwt';
  readonly expiresAt: number;
  readonly digest: Buffer;
}

/** Tells the operator every reason. Validation stops at the first reason and does not tell the caller. */
@Injectable()
export class TokenExplainer {
  constructor(
    private readonly keys: TokenKeys,
    private readonly reader: TokenReader,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @throws Unavailable */
  async explain(token: string): Promise<Explanation> {
    if (token.includes('.')) return this.explainJwt(token);
    const parsed = parseToken(token, this.keys);
    if (!parsed.genuine) return nothingBut(parsed.flaw, null);
    return this.explainGenuine({ ...parsed, format: 'opaque' });
  }

  private async explainJwt(token: string): Promise<Explanation> {
    const read = await this.reader.read(token);
    if (!('refused' in read)) return this.explainGenuine(read);
    const { refused, was } = read;
    if (was) return this.explainGenuine(was);
    return nothingBut(refused === 'malformed' ? refused : 'forged', 'jwt');
  }

  private async explainGenuine(token: Made): Promise<Explanation> {
    const { kind, format, expiresAt } = token;
    const [facts] = await this.facts(token);
    const over = expiresAt !== NO_EXPIRY && isOver(expiresAt, this.clock);
    const found: [TokenFlaw, boolean][] = [
      ['wrong_kind', kind !== 'access' && kind !== 'api_key'],
      // the purge deletes the rows of expired tokens, so for them a missing row is no reason of its own
      ['unknown', facts ? facts.grant_id === null && kind !== 'client_secret' : !over],
      ['revoked', Boolean(facts?.revoked_at)],
      ['used', Boolean(facts?.used_at)],
      ['source_revoked', Boolean(facts?.source_revoked_at)],
      ['grant_revoked', Boolean(facts?.grant_revoked_at)],
      ['actor_ended', Boolean(facts?.actor_ended_at)],
      ['expired', over],
      ['grant_expired', !over && (facts?.grant_expires_at?.getTime() ?? Infinity) <= this.clock.now()],
    ];
    return {
      kind,
      format,
      expiresAt: expiresAt === NO_EXPIRY ? null : expiresAt,
      flaws: found.filter(([, holds]) => holds).map(([flaw]) => flaw),
      facts,
    };
  }

  private facts(token: Made): Promise<FactsRow[]> {
    return this.database.run<FactsRow>(FACTS[token.kind], [token.digest, new Date(token.expiresAt * 1_000)]);
  }
}

function nothingBut(flaw: TokenFlaw, format: 'jwt' | null): Explanation {
  return { kind: null, format, expiresAt: null, flaws: [flaw], facts: undefined };
}
