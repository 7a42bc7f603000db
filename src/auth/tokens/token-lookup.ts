import { Injectable } from '@nestjs/common';
import type { GrantedPrincipal } from 'keks-guard/internals';
import { Database } from '../../database/database.js';
import { scopeOfApiKey } from '../scope.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { byteaArray, timestampArray } from '../../database/hot/binary-arrays.js';
import { MicroBatch } from '../../database/hot/micro-batch.js';
import * as sql from './token-lookup.sql.js';
import type { Statement } from '../../database/statement.js';
import type { ReadToken } from './read-token.js';

/** What the database says about one token and its grant. */
export interface StoredToken {
  readonly principal: GrantedPrincipal;
  readonly revoked: 'revoked' | 'grant_revoked' | undefined;
  /** Milliseconds since the epoch: when the grant ends, if that is before the token expires. */
  readonly grantEnd: number | undefined;
}

/** What introspection tells besides the principal. */
export interface DescribedToken extends StoredToken {
  readonly username: string | null;
  /** Whole seconds since the epoch. */
  readonly issuedAt: number;
}

/**
 * A batch is sent as soon as it has 24 tokens. So PostgreSQL works on it while this process reads the next requests. If
 * a statement waited for a whole turn of the event loop, each side would wait for the other.
 */
const LIMITS = { size: 128, eager: 24, flights: 2, queue: 20_000 };

/**
 * Asks the primary about tokens that are genuine and unexpired, many in one statement. It caches no answer, so a
 * revoked token is dead everywhere as soon as the revoke is acknowledged.
 */
@Injectable()
export class TokenLookup {
  private readonly accessTokens = new MicroBatch<ReadToken, StoredToken | undefined>(
    (tokens) => this.find(sql.LOOK_UP_ACCESS_TOKENS, tokens, accessToken),
    { ...LIMITS, name: 'look up access tokens' },
    (size) => this.telemetry.batches.access_token.note(size),
  );
  private readonly apiKeys = new MicroBatch<ReadToken, StoredToken | undefined>(
    (keys) => this.find(sql.LOOK_UP_API_KEYS, keys, apiKey),
    { ...LIMITS, name: 'look up API keys' },
    (size) => this.telemetry.batches.api_key.note(size),
  );
  private readonly descriptions = {
    access: this.describing((tokens) => this.find(sql.DESCRIBE.access, tokens, describedToken)),
    refresh: this.describing((tokens) => this.find(sql.DESCRIBE.refresh, tokens, describedToken)),
    api_key: this.describing((keys) => this.find(sql.DESCRIBE.api_key, keys, describedApiKey)),
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

  private describing(
    send: (tokens: readonly ReadToken[]) => Promise<(DescribedToken | undefined)[]>,
  ): MicroBatch<ReadToken, DescribedToken | undefined> {
    return new MicroBatch(send, { ...LIMITS, name: 'describe tokens' }, (size) =>
      this.telemetry.batches.introspection.note(size),
    );
  }

  /**
   * A genuine, unexpired token was stored once. If the first statement does not find it, PostgreSQL may have moved its
   * row while the statement waited. Only a second statement, with its own snapshot, proves that the row is not there.
   */
  private async find<R extends AnyRow, T>(
    statement: Statement,
    tokens: readonly ReadToken[],
    toToken: (row: R | sql.DescribedWithGrantRow, expiresAt: number) => T,
  ): Promise<(T | undefined)[]> {
    const found = await this.ask(statement, tokens, toToken);
    if (!found.includes(undefined)) return found;
    const places = found.flatMap((one, at) => (one === undefined ? [at] : []));
    const missing = tokens.filter((_, at) => found[at] === undefined);
    const again = await this.ask(statement, missing, toToken);
    places.forEach((at, index) => (found[at] = again[index]));
    return found;
  }

  private async ask<R extends AnyRow, T>(
    statement: Statement,
    tokens: readonly ReadToken[],
    toToken: (row: R | sql.DescribedWithGrantRow, expiresAt: number) => T,
  ): Promise<(T | undefined)[]> {
    const rows = await this.database.runHot<R>(statement, [
      byteaArray(tokens.map((token) => token.digest)),
      timestampArray(tokens.map((token) => token.expiresAt)),
    ]);
    const found = Array.from<T | undefined>({ length: tokens.length });
    const old: { readonly token: ReadToken; readonly at: number }[] = [];
    for (const row of rows) {
      const at = Number(row[0]) - 1;
      const token = tokens[at];
      if (!token) continue;
      if (row[4] === null ? row[3] === null : row[3] === sql.NOBODY) old.push({ token, at });
      else found[at] = toToken(row, token.expiresAt);
    }
    if (old.length > 0) {
      const oldTokens = old.map(({ token }) => token);
      const again = await this.ask<sql.DescribedWithGrantRow, T>(
        sql.DESCRIBE_WITH_GRANTS,
        oldTokens,
        toToken,
      );
      old.forEach(({ at }, index) => (found[at] = again[index]));
    }
    return found;
  }
}

type TellingRow = sql.DescribedRow | sql.DescribedWithGrantRow;
type AnyRow = sql.TokenRow | TellingRow;

function accessToken(row: AnyRow, expiresAt: number): StoredToken {
  return stored(row, expiresAt, kindOf(row), scopesOf(row[5]));
}

function kindOf(row: AnyRow): GrantedPrincipal['grantKind'] {
  if (row[3] === null) return 'client';
  return row[4] === null ? 'login' : 'consent';
}

function apiKey(row: AnyRow, expiresAt: number): StoredToken {
  return stored(row, expiresAt, 'api_key', scopeOfApiKey(scopesOf(row[5])));
}

function scopesOf(scope: string): string[] {
  return scope === '' ? [] : scope.split(' ');
}

function stored(
  row: AnyRow,
  expiresAt: number,
  grantKind: GrantedPrincipal['grantKind'],
  scope: readonly string[],
): StoredToken {
  const [, tokenId, grantId, userId, clientId, , audience, state, grantEnd] = row;
  const revoked = state === 'revoked' || state === 'grant_revoked' ? state : undefined;
  const principal = {
    subject: userId ?? clientId ?? '',
    clientId: clientId ?? sql.FIRST_PARTY_CLIENT,
    scope,
    audience: [audience],
    expiresAt,
    grantId,
    grantKind,
    tokenId,
  };
  return {
    principal: withActors(state === null || revoked ? principal : { ...principal, jkt: state }, row),
    revoked,
    grantEnd: grantEnd === null ? undefined : Number(grantEnd),
  };
}

/** A token that was made from another token was issued to the current actor. */
function withActors(principal: GrantedPrincipal, row: AnyRow): GrantedPrincipal {
  const text = row.length === 12 ? row[11] : null;
  if (text === null) return principal;
  const actors = text.split(' ');
  return { ...principal, clientId: actors[0] ?? principal.clientId, actors };
}

function describedToken(row: TellingRow, expiresAt: number): DescribedToken {
  return described(row, accessToken(row, expiresAt));
}

function describedApiKey(row: TellingRow, expiresAt: number): DescribedToken {
  return described(row, apiKey(row, expiresAt));
}

function described(row: TellingRow, { principal, revoked, grantEnd }: StoredToken): DescribedToken {
  // each property by itself: `...` would look up each property by its name
  return { principal, revoked, grantEnd, username: row[9], issuedAt: Number(row[10]) };
}
