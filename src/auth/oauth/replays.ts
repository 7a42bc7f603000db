import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock, timestamp } from '../../database/clock.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { ToldGuards } from '../leases/told-guards.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import type { TokenFormat } from '../tokens/token-format.js';
import { RefreshPairs } from './refresh-pairs.js';
import * as sql from './refresh.sql.js';
import type { PresentedRefresh } from './rotations.js';
import { Successors, type Successor } from './successors.js';

/** The outcome for a used refresh token. */
export type Replayed =
  | { readonly outcome: 'replayed'; readonly format: TokenFormat; readonly issued: IssuedToken }
  | { readonly outcome: 'theft'; readonly killedGrants: number };

/** Owns what a used refresh token means: a retry whose answer was lost, or a theft (RFC 9700 §4.14). */
@Injectable()
export class Replays {
  constructor(
    private readonly told: ToldGuards,
    private readonly pairs: RefreshPairs,
    private readonly successors: Successors,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns undefined if the token could neither be replayed nor its grant killed @throws Unavailable */
  async replayOrKill(presented: PresentedRefresh, row: sql.RefreshRow): Promise<Replayed | undefined> {
    const now = this.clock.now();
    const graceMs = this.config.REFRESH_GRACE_PERIOD * 1_000;
    // 0 means no grace period, even if this instance's clock is a little behind
    const since = graceMs === 0 || row.answered_scope === null ? undefined : new Date(now - graceMs);
    const successor = since && this.successors.again(presented.token, row);
    if (since && !successor) refuseIfYoung(row, since.getTime());
    const issued = since && successor && (await this.replay(presented, row, { since, successor }));
    if (issued) return { outcome: 'replayed', format: row.format, issued };
    const events = await this.told.database.run<{ killed: boolean }>(sql.KILL_REPLAYED_GRANT, [
      ...[presented.digest, timestamp(presented.expiresAt), new Date(now)],
      ...[presented.origin.ip, presented.origin.requestId, since ?? null, successor?.digest ?? null],
    ]);
    if (events.length === 0) return undefined;
    await this.told.wait();
    return { outcome: 'theft', killedGrants: events.filter((event) => event.killed).length };
  }

  private async replay(
    presented: PresentedRefresh,
    row: sql.RefreshRow,
    { since, successor }: { since: Date; successor: Successor },
  ): Promise<IssuedToken | undefined> {
    const next = await sql.findRefreshToken(this.told.database, successor);
    if (!next || next.used_at) return undefined;
    const scope = row.answered_scope || next.scope;
    const access = await this.pairs.access(next, scope, presented.jkt);
    const rows = await this.told.database.run(sql.REPLAY, [
      ...[presented.digest, timestamp(presented.expiresAt), new Date(this.clock.now())],
      ...[since, access.digest, timestamp(access.expiresAt)],
      ...[presented.origin.ip, presented.origin.requestId, successor.digest, scope, presented.jkt ?? null],
    ]);
    return rows.length > 0 ? this.pairs.answer({ access, successor }, scope) : undefined;
  }
}

/**
 * While SECRET_KEY is rotated, another instance may have made the successor with a key that this instance does not have
 * yet. This is no theft, but there is no answer either.
 * @throws Unavailable
 */
function refuseIfYoung(row: sql.RefreshRow, since: number): void {
  if (row.used_at && row.used_at.getTime() > since)
    throw new Unavailable('a refresh token was rotated with a SECRET_KEY that this instance does not have');
}
