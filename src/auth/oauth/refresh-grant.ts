import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock, timestamp } from '../../database/clock.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import { ToldGuards } from '../leases/told-guards.js';
import type { RequestOrigin } from '../request-origin.js';
import { OFFLINE_ACCESS, parseScope, subset } from '../scope.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { FIRST_PARTY_CLIENT } from '../tokens/token-lookup.sql.js';
import { TokenMint, type MintedToken } from '../tokens/token-mint.js';
import type { TokenRequest } from './oauth.schemas.js';
import * as sql from './refresh.sql.js';
import { Successors, type Successor } from './successors.js';
import type { ReadToken } from '../tokens/read-token.js';
import type { TokenFormat } from '../tokens/token-format.js';

/** A refresh token that was read, with its text, from which its successor is derived. */
export interface PresentedRefresh extends ReadToken {
  readonly token: string;
  /** Who presents it; null for a person's own program. */
  readonly clientId: string | null;
  /** Of the key that a proof came with: the access token is bound to it. */
  readonly jkt: string | undefined;
  /** Whether the refresh token is bound to it, too: nothing else proves who presents it (RFC 9449 §5). */
  readonly isPublic: boolean;
}

/** What came of a refresh token that belongs to a living grant. */
export type Refreshed =
  | { readonly outcome: 'rotated' | 'replayed'; readonly format: TokenFormat; readonly issued: IssuedToken }
  | { readonly outcome: 'theft'; readonly killedGrants: number };

const ATTEMPTS = 3;

/** RFC 6749 §6 and RFC 9700 §4.14: each refresh token works once, and has one successor. */
@Injectable()
export class RefreshGrant {
  constructor(
    private readonly told: ToldGuards,
    private readonly mint: TokenMint,
    private readonly successors: Successors,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** A theft has killed the grant. @throws WireError invalid_grant, invalid_scope, invalid_target; Unavailable */
  async exchange(
    presented: PresentedRefresh,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<Refreshed> {
    // a statement that touched nothing decides nothing: what is so is looked up anew
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const row = (await this.find(presented)) ?? (await this.find(presented));
      if (!row || row.grant_revoked || row.grant_expires_at.getTime() <= this.clock.now())
        throw new WireError('invalid_grant');
      // bound to whom it was issued to (RFC 6749 §10.4), and unharmed by others
      if (row.client_id !== presented.clientId) throw new WireError('invalid_grant');
      if (row.jkt !== null && row.jkt !== presented.jkt) throw WireError.because('bound_elsewhere');
      // whatever else is asked: a used token is a retry, or was stolen
      const refreshed = row.used_at
        ? await this.replayOrKill(presented, row, origin)
        : await this.rotated(presented, row, request, origin);
      if (refreshed) return refreshed;
    }
    throw new Unavailable('a refresh token is there, and was not found');
  }

  private async find(token: Pick<ReadToken, 'digest' | 'expiresAt'>): Promise<sql.RefreshRow | undefined> {
    const [row] = await this.told.database.run<sql.RefreshRow>(sql.FIND_REFRESH_TOKEN, [
      token.digest,
      timestamp(token.expiresAt),
    ]);
    return row;
  }

  private async rotated(
    presented: PresentedRefresh,
    row: sql.RefreshRow,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<Refreshed | undefined> {
    const scope = scopeOf(row, request.scope);
    if (request.resource !== undefined && request.resource !== row.audience)
      throw new WireError('invalid_target');
    const issued = await this.rotate(presented, row, scope, origin);
    return issued && { outcome: 'rotated', format: row.format, issued };
  }

  /** @returns undefined if the token was used, or its grant died, in between */
  private async rotate(
    presented: PresentedRefresh,
    row: sql.RefreshRow,
    scope: string,
    origin: RequestOrigin,
  ): Promise<IssuedToken | undefined> {
    const now = this.clock.now();
    const expiresAt = Math.min(this.clock.seconds() + this.config.REFRESH_TOKEN_TTL, endOf(row));
    const successor = this.successors.derive(presented.token, expiresAt);
    const access = await this.access(row, scope, presented.jkt);
    const rows = await this.told.database.run(sql.ROTATE, [
      ...[presented.digest, timestamp(presented.expiresAt), new Date(now)],
      ...[successor.digest, timestamp(expiresAt), scope, access.digest, timestamp(access.expiresAt)],
      ...[origin.ip, origin.requestId, row.scope, row.audience, row.format],
      presented.jkt ?? null,
      presented.isPublic ? (presented.jkt ?? null) : null,
    ]);
    return rows.length > 0 ? this.answer(access, scope, successor.token, expiresAt) : undefined;
  }

  /** @returns undefined if neither could be done */
  private async replayOrKill(
    presented: PresentedRefresh,
    row: sql.RefreshRow,
    origin: RequestOrigin,
  ): Promise<Refreshed | undefined> {
    const now = this.clock.now();
    const graceMs = this.config.REFRESH_GRACE_PERIOD * 1_000;
    // 0 is none at all, also for an instance whose clock is a little behind
    const since = graceMs === 0 || row.answered_scope === null ? undefined : new Date(now - graceMs);
    const successor = since && this.successors.again(presented.token, row);
    if (since && !successor) refuseIfYoung(row, since.getTime());
    const issued = since && successor && (await this.replay(presented, row, { since, successor }, origin));
    if (issued) return { outcome: 'replayed', format: row.format, issued };
    const events = await this.told.database.run<{ killed: boolean }>(sql.KILL_REPLAYED_GRANT, [
      ...[presented.digest, timestamp(presented.expiresAt), new Date(now)],
      ...[origin.ip, origin.requestId, since ?? null, successor?.digest ?? null],
    ]);
    if (events.length === 0) return undefined;
    await this.told.wait();
    return { outcome: 'theft', killedGrants: events.filter((event) => event.killed).length };
  }

  private async replay(
    presented: PresentedRefresh,
    row: sql.RefreshRow,
    { since, successor }: { since: Date; successor: Successor },
    origin: RequestOrigin,
  ): Promise<IssuedToken | undefined> {
    const next = await this.find(successor);
    if (!next || next.used_at) return undefined;
    const scope = row.answered_scope || next.scope;
    const access = await this.access(next, scope, presented.jkt);
    const rows = await this.told.database.run(sql.REPLAY, [
      ...[presented.digest, timestamp(presented.expiresAt), new Date(this.clock.now())],
      ...[since, access.digest, timestamp(access.expiresAt)],
      ...[origin.ip, origin.requestId, successor.digest, scope, presented.jkt ?? null],
    ]);
    return rows.length > 0 ? this.answer(access, scope, successor.token, successor.expiresAt) : undefined;
  }

  private access(row: sql.RefreshRow, scope: string, jkt: string | undefined): Promise<MintedToken> {
    const { user_id: subject, audience, format } = row;
    const clientId = row.client_id ?? FIRST_PARTY_CLIENT;
    const claims = { subject, clientId, scope, audience, format, grantId: row.grant_id, jkt };
    return this.mint.access({ ...claims, notAfter: endOf(row) });
  }

  private answer(access: MintedToken, scope: string, refreshToken: string, expiresAt: number): IssuedToken {
    const { token, expiresIn } = access;
    const left = Math.max(0, expiresAt - this.clock.seconds());
    return { token, expiresIn, scope, refresh: { token: refreshToken, expiresIn: left } };
  }
}

/**
 * While SECRET_KEY is rotated, another instance may have made a successor with a key that this one does not have yet: no
 * theft, and no answer either.
 * @throws Unavailable
 */
function refuseIfYoung(row: sql.RefreshRow, since: number): void {
  if (row.used_at && row.used_at.getTime() > since)
    throw new Unavailable('a refresh token was rotated with a SECRET_KEY that this instance does not have');
}

/** When the login ends: whole seconds since the epoch. */
function endOf({ grant_expires_at: end }: sql.RefreshRow): number {
  return Math.floor(end.getTime() / 1_000);
}

/** Never more than the refresh token carries; `offline_access` may be said again and means nothing here. */
function scopeOf(row: sql.RefreshRow, requested: string | undefined): string {
  if (requested === undefined) return row.scope;
  const wanted = parseScope(requested)?.filter((scope) => scope !== OFFLINE_ACCESS);
  if (!wanted || !subset(wanted, parseScope(row.scope) ?? [])) throw new WireError('invalid_scope');
  return wanted.length > 0 ? wanted.join(' ') : row.scope;
}
