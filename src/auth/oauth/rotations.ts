import { Injectable } from '@nestjs/common';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { byteaArray, textArray, timestampArray, timestamptz } from '../../database/hot/binary-arrays.js';
import { MicroBatch } from '../../database/hot/micro-batch.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { ReadToken } from '../tokens/read-token.js';
import type { RefreshPair } from './refresh-pairs.js';
import { ROTATE, type RefreshRow } from './refresh.sql.js';
import { ROTATE_TOGETHER, toRefreshRow, type RotationRow } from './rotations.sql.js';

/** A refresh token that was read, with its text. The successor is derived from the text. */
export interface PresentedRefresh extends ReadToken {
  readonly token: string;
  /** The client that presents the token; null for a person's own program. */
  readonly clientId: string | null;
  /** Thumbprint of the key of the request's proof: the access token is bound to it. */
  readonly jkt: string | undefined;
  /** Whether the refresh token is bound to that key, too: nothing else proves who presents it (RFC 9449 §5). */
  readonly isPublic: boolean;
  readonly origin: RequestOrigin;
}

export interface Rotation {
  readonly presented: PresentedRefresh;
  readonly pair: RefreshPair;
  /** null: all that the token carries. */
  readonly scope: string | null;
  /** null: whatever the token is for. */
  readonly resource: string | null;
}

/** The scope of the answer; or the token's row, if the token was not rotated. */
export type Rotated = { readonly scope: string } | { readonly row: RefreshRow };

/**
 * Group commit, as in ClientTokens: refreshes that come together are one statement and one commit, and each is answered
 * after it. This class never decides between a retry and a theft.
 */
@Injectable()
export class Rotations {
  private readonly batch = new MicroBatch<Rotation, Rotated | undefined>(
    (rotations) => this.rotateTogether(rotations),
    { name: 'rotate refresh tokens', size: 128, flights: 2, queue: 2_000 },
    (size) => this.telemetry.batches.refresh_token.note(size),
  );

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {
    telemetry.watch('refresh_token', () => this.batch.depth);
  }

  /** Waits for no lock. @returns undefined if somebody is using the token up, or it is not there @throws Unavailable */
  together(rotation: Rotation): Promise<Rotated | undefined> {
    return this.batch.ask(rotation);
  }

  /**
   * Waits for whoever is using the token up.
   * @returns false if it was used or its grant ended meanwhile
   * @throws Unavailable
   */
  async alone({ presented, pair, scope }: Rotation, row: RefreshRow): Promise<boolean> {
    const { access, successor } = pair;
    const rows = await this.database.run(ROTATE, [
      ...[presented.digest, timestamp(presented.expiresAt), new Date(this.clock.now())],
      ...[successor.digest, timestamp(successor.expiresAt), scope ?? row.scope],
      ...[access.digest, timestamp(access.expiresAt), presented.origin.ip, presented.origin.requestId],
      ...[row.scope, row.audience, row.format, presented.jkt ?? null, nextKey(presented)],
    ]);
    return rows.length > 0;
  }

  private async rotateTogether(rotations: readonly Rotation[]): Promise<(Rotated | undefined)[]> {
    const texts = (of: (rotation: Rotation) => string | null): Buffer => textArray(rotations.map(of));
    const rows = await this.database.runHot<RotationRow>(ROTATE_TOGETHER, [
      timestamptz(this.clock.now()),
      byteaArray(rotations.map(({ presented }) => presented.digest)),
      timestampArray(rotations.map(({ presented }) => presented.expiresAt)),
      byteaArray(rotations.map(({ pair }) => pair.successor.digest)),
      timestampArray(rotations.map(({ pair }) => pair.successor.expiresAt)),
      byteaArray(rotations.map(({ pair }) => pair.access.digest)),
      timestampArray(rotations.map(({ pair }) => pair.access.expiresAt)),
      texts(({ pair }) => pair.format),
      texts(({ scope }) => scope),
      texts(({ resource }) => resource),
      texts(({ presented }) => presented.clientId),
      texts(({ presented }) => presented.jkt ?? null),
      texts(({ presented }) => nextKey(presented)),
      texts(({ presented }) => presented.origin.ip),
      texts(({ presented }) => presented.origin.requestId),
    ]);
    const rotated = Array.from<Rotated | undefined>({ length: rotations.length });
    for (const [at, scope, found] of rows)
      rotated[Number(at) - 1] = found === null ? { scope: scope ?? '' } : { row: toRefreshRow(found) };
    return rotated;
  }
}

/** The key that the successor is bound to; null if the client authenticates, which binds it already (RFC 9449 §5). */
function nextKey({ isPublic, jkt }: PresentedRefresh): string | null {
  return isPublic ? (jkt ?? null) : null;
}
