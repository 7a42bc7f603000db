import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import type { GrantedPrincipal } from '../../guard/principal.js';
import { Telemetry } from '../telemetry.js';
import { byteaArray, timestampArray } from './binary-arrays.js';
import { MicroBatch } from './micro-batch.js';
import * as sql from './token-lookup.sql.js';
import type { ReadToken } from './token-reader.js';

/** What the database says of one token: its row and its grant's. Times are milliseconds since the epoch. */
export interface StoredToken {
  readonly principal: GrantedPrincipal;
  readonly revoked: boolean;
  readonly grantRevoked: boolean;
  readonly grantExpiresAt: number | null;
}

/** What introspection tells beside the principal. */
export interface DescribedToken extends StoredToken {
  readonly username: string | null;
  /** Whole seconds since the epoch. */
  readonly issuedAt: number;
}

const LIMITS = { size: 128, flights: 2, queue: 20_000 };

/**
 * Asks the primary about tokens that are genuine and unexpired, many in one statement. It keeps no answer: a revoked
 * token is dead everywhere as soon as the revoke is acknowledged.
 */
@Injectable()
export class TokenLookup {
  private readonly accessTokens = new MicroBatch<ReadToken, StoredToken | undefined>(
    (tokens) => this.ask<sql.TokenRow, StoredToken>(sql.LOOK_UP_ACCESS_TOKENS, tokens, storedToken),
    { ...LIMITS, name: 'look up access tokens' },
    (size) => this.telemetry.batches.access_token.note(size),
  );
  private readonly apiKeys = new MicroBatch<ReadToken, StoredToken | undefined>(
    (keys) => this.ask<sql.TokenRow, StoredToken>(sql.LOOK_UP_API_KEYS, keys, storedToken),
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
      (tokens) => this.ask<sql.DescribedRow, DescribedToken>(sql.DESCRIBE[kind], tokens, describedToken),
      { ...LIMITS, name: 'describe tokens' },
      (size) => this.telemetry.batches.introspection.note(size),
    );
  }

  private async ask<R extends sql.TokenRow, T>(
    statement: typeof sql.LOOK_UP_ACCESS_TOKENS,
    tokens: readonly ReadToken[],
    toToken: (row: R, expiresAt: number) => T,
  ): Promise<(T | undefined)[]> {
    const rows = await this.database.runHot<R>(statement, [
      byteaArray(tokens.map((token) => token.digest)),
      timestampArray(tokens.map((token) => token.expiresAt)),
    ]);
    const found = Array.from<T | undefined>({ length: tokens.length });
    for (const row of rows) {
      const at = row.at - 1;
      found[at] = toToken(row, tokens[at]?.expiresAt ?? 0);
    }
    return found;
  }
}

function storedToken(row: sql.TokenRow, expiresAt: number): StoredToken {
  return {
    principal: {
      subject: row.subject,
      clientId: row.client_id,
      scope: row.scope === '' ? [] : row.scope.split(' '),
      audience: [row.audience],
      expiresAt,
      grantId: row.grant_id,
      grantKind: row.kind,
      tokenId: row.token_id,
    },
    revoked: row.revoked,
    grantRevoked: row.grant_revoked,
    grantExpiresAt: row.grant_expires_at,
  };
}

function describedToken(row: sql.DescribedRow, expiresAt: number): DescribedToken {
  return { ...storedToken(row, expiresAt), username: row.username, issuedAt: row.issued_at };
}
