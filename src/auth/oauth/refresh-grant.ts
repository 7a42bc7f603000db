import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import { OFFLINE_ACCESS, parseScope, subset } from '../scope.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import type { TokenFormat } from '../tokens/token-format.js';
import type { TokenRequest } from './oauth.schemas.js';
import { RefreshPairs, type RefreshPair } from './refresh-pairs.js';
import { findRefreshToken, type RefreshRow } from './refresh.sql.js';
import { Replays, type Replayed } from './replays.js';
import { Rotations, type PresentedRefresh } from './rotations.js';

/** The outcome for a refresh token whose grant is alive. */
export type Refreshed = Replayed | Renewed;

interface Renewed {
  readonly outcome: 'rotated';
  readonly format: TokenFormat;
  readonly issued: IssuedToken;
}

/** What a request asks for besides the token. */
type Asked = Pick<TokenRequest, 'scope' | 'resource'>;

const ATTEMPTS = 3;

/** RFC 6749 §6 and RFC 9700 §4.14: each refresh token works once, and has one successor. */
@Injectable()
export class RefreshGrant {
  constructor(
    private readonly database: Database,
    private readonly pairs: RefreshPairs,
    private readonly rotations: Rotations,
    private readonly replays: Replays,
    private readonly clock: Clock,
  ) {}

  /**
   * If the outcome is `theft`, the grant has ended.
   * @throws WireError invalid_grant, invalid_scope, invalid_target; Unavailable
   */
  async exchange(presented: PresentedRefresh, asked: Asked): Promise<Refreshed> {
    const usual = await this.usual(presented, asked);
    if (usual && 'outcome' in usual) return usual;
    let seen = usual?.row;
    // a statement that changed no row decides nothing: the token is looked up again
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const row = seen ?? (await this.find(presented)) ?? (await this.find(presented));
      const refreshed = await this.judged(presented, row, asked, seen !== undefined);
      if (refreshed) return refreshed;
      seen = undefined;
    }
    throw new Unavailable('a refresh token is there, and was not found');
  }

  /** Rotates the token in one round trip in the usual case. Else returns the token's row, if the statement saw it. */
  private async usual(
    presented: PresentedRefresh,
    asked: Asked,
  ): Promise<Renewed | { readonly row: RefreshRow } | undefined> {
    const scope = wantedOf(asked.scope);
    if (!scope) return undefined;
    const pair = this.pairs.usual(presented.token);
    const rotation = { presented, pair, scope: scope.join(' ') || null, resource: asked.resource ?? null };
    const rotated = await this.rotations.together(rotation);
    if (!rotated || 'row' in rotated) return rotated;
    return this.renewed(pair, rotated.scope);
  }

  /**
   * @param together true: rotate in a batch, without waiting for a lock; false: rotate alone, and wait for it
   * @returns undefined if the token must be looked up again
   */
  private async judged(
    presented: PresentedRefresh,
    row: RefreshRow | undefined,
    asked: Asked,
    together: boolean,
  ): Promise<Refreshed | undefined> {
    if (!row || row.grant_revoked || row.grant_expires_at.getTime() <= this.clock.now())
      throw new WireError('invalid_grant');
    // bound to the client that got the token (RFC 6749 §10.4); another client's attempt leaves the token valid
    if (row.client_id !== presented.clientId) throw new WireError('invalid_grant');
    if (row.jkt !== null && row.jkt !== presented.jkt) throw WireError.because('bound_elsewhere');
    // comes before scope and resource: a used token is a retry or was stolen, whatever the request asks for
    if (row.used_at) return this.replays.replayOrKill(presented, row);
    const scope = scopeOf(row, asked.scope);
    if (asked.resource !== undefined && asked.resource !== row.audience)
      throw new WireError('invalid_target');
    return this.rotated(presented, row, scope, together);
  }

  private async rotated(
    presented: PresentedRefresh,
    row: RefreshRow,
    scope: string,
    together: boolean,
  ): Promise<Renewed | undefined> {
    const pair = await this.pairs.of(presented.token, row, scope, presented.jkt);
    const rotation = { presented, pair, scope, resource: null };
    const done = together
      ? 'scope' in ((await this.rotations.together(rotation)) ?? {})
      : await this.rotations.alone(rotation, row);
    return done ? this.renewed(pair, scope) : undefined;
  }

  private renewed(pair: RefreshPair, scope: string): Renewed {
    return { outcome: 'rotated', format: pair.format, issued: this.pairs.answer(pair, scope) };
  }

  private find(presented: PresentedRefresh): Promise<RefreshRow | undefined> {
    return findRefreshToken(this.database, presented);
  }
}

/** Ignores `offline_access`, which means nothing here. @returns undefined if the scope is malformed; empty means all */
function wantedOf(requested = ''): string[] | undefined {
  return parseScope(requested)?.filter((scope) => scope !== OFFLINE_ACCESS);
}

/** Never more than the refresh token carries. @throws WireError invalid_scope */
function scopeOf(row: RefreshRow, requested: string | undefined): string {
  const wanted = wantedOf(requested);
  if (!wanted || !subset(wanted, parseScope(row.scope) ?? [])) throw new WireError('invalid_scope');
  return wanted.join(' ') || row.scope;
}
