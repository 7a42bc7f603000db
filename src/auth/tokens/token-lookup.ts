import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database, type Statement } from '../../database/database.js';
import type { HotRow } from '../../database/hot-query.js';
import type { GrantedPrincipal } from '../../guard/principal.js';
import { NOTED_SECONDS } from '../grants/last-use.js';
import { Telemetry } from '../telemetry.js';
import { byteaArray, timestampArray, timestampBytes } from './binary-arrays.js';
import { MicroBatch } from './micro-batch.js';
import * as sql from './token-lookup.sql.js';
import type { ReadToken } from './token-reader.js';

/** What the database says of one token: its row and its grant's. Times are milliseconds since the epoch. */
export interface StoredToken {
  readonly principal: GrantedPrincipal;
  readonly revoked: 'revoked' | 'grant_revoked' | undefined;
  /** If it ends before the token does. */
  readonly grantEnd: number | undefined;
  /** Whether the last use of its grant is to be noted again. */
  readonly unnoted: boolean;
}

/** What introspection tells beside the principal. */
export interface DescribedToken extends StoredToken {
  readonly username: string | null;
  /** Whole seconds since the epoch. */
  readonly issuedAt: number;
}

/**
 * PostgreSQL works on two dozen tokens while the next requests are read: with whole turns of the event loop in one statement,
 * each would wait for the other.
 */
const LIMITS = { size: 128, eager: 24, flights: 2, queue: 20_000 };

/**
 * Asks the primary about tokens that are genuine and unexpired, many in one statement. It keeps no answer: a revoked
 * token is dead everywhere as soon as the revoke is acknowledged.
 */
@Injectable()
export class TokenLookup {
  private readonly accessTokens = new MicroBatch<ReadToken, StoredToken | undefined>(
    (tokens) => this.ask(sql.LOOK_UP_ACCESS_TOKENS, tokens, storedToken),
    { ...LIMITS, name: 'look up access tokens' },
    (size) => this.telemetry.batches.access_token.note(size),
  );
  private readonly apiKeys = new MicroBatch<ReadToken, StoredToken | undefined>(
    (keys) => this.ask(sql.LOOK_UP_API_KEYS, keys, storedToken),
    { ...LIMITS, name: 'look up API keys' },
    (size) => this.telemetry.batches.api_key.note(size),
  );
  private readonly descriptions = {
    access: this.describing('access'),
    refresh: this.describing('refresh'),
    api_key: this.describing('api_key'),
  };

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {
    telemetry.watch('access_token', () => this.accessTokens.depth);
    telemetry.watch('api_key', () => this.apiKeys.depth);
    const { access, refresh, api_key: apiKey } = this.descriptions;
    telemetry.watch('introspection', () => access.depth + refresh.depth + apiKey.depth);
  }

  /** @throws Unavailable */
  accessToken(token: ReadToken): Promise<StoredToken | undefined> {
    return this.accessTokens.ask(token);
  }

  /** @throws Unavailable */
  apiKey(key: ReadToken): Promise<StoredToken | undefined> {
    return this.apiKeys.ask(key);
  }

  /** @throws Unavailable */
  describe(token: ReadToken, kind: sql.LookedUpKind): Promise<DescribedToken | undefined> {
    return this.descriptions[kind].ask(token);
  }

  private describing(kind: sql.LookedUpKind): MicroBatch<ReadToken, DescribedToken | undefined> {
    return new MicroBatch(
      (tokens) => this.ask(sql.DESCRIBE[kind], tokens, describedToken),
      { ...LIMITS, name: 'describe tokens' },
      (size) => this.telemetry.batches.introspection.note(size),
    );
  }

  private async ask<R extends readonly [at: string, ...HotRow], T>(
    statement: Statement,
    tokens: readonly ReadToken[],
    toToken: (row: R, expiresAt: number) => T,
  ): Promise<(T | undefined)[]> {
    const rows = await this.database.runHot<R>(statement, [
      byteaArray(tokens.map((token) => token.digest)),
      timestampArray(tokens.map((token) => token.expiresAt)),
      timestampBytes(this.clock.seconds() - NOTED_SECONDS),
    ]);
    const found = Array.from<T | undefined>({ length: tokens.length });
    for (const row of rows) {
      const at = Number(row[0]) - 1;
      found[at] = toToken(row, tokens[at]?.expiresAt ?? 0);
    }
    return found;
  }
}

function storedToken(row: sql.TokenRow | sql.DescribedRow, expiresAt: number): StoredToken {
  const [, tokenId, grantId, grantKind, userId, clientId, scope, audience, state, grantEnd] = row;
  return {
    principal: {
      subject: userId ?? clientId ?? '',
      clientId: clientId ?? sql.FIRST_PARTY_CLIENT,
      scope: scope === '' ? [] : scope.split(' '),
      audience: [audience],
      expiresAt,
      grantId,
      grantKind,
      tokenId,
    },
    revoked: state === null || state === 'unnoted' ? undefined : state,
    grantEnd: grantEnd === null ? undefined : Number(grantEnd),
    unnoted: state === 'unnoted',
  };
}

function describedToken(row: sql.DescribedRow, expiresAt: number): DescribedToken {
  const { principal, revoked, grantEnd, unnoted } = storedToken(row, expiresAt);
  // one by one: `...` would look at each property by its name
  return { principal, revoked, grantEnd, unnoted, username: row[10], issuedAt: Number(row[11]) };
}
