import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { Revoker } from '../tokens/token-revocation.js';
import type { GrantKind } from './grant-revocation.js';
import * as sql from './grants.sql.js';

/** One of a user's own grants. */
export interface OwnGrant {
  readonly id: string;
  readonly userId: string;
  readonly kind: GrantKind;
}

/** Owns the end of single grants: with it all of their tokens die. */
@Injectable()
export class GrantsService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @returns false if there is no such living grant of this user: of fifty at once, one is told true */
  async revokeOwn({ id, userId, kind }: OwnGrant, reason: string, by: Revoker): Promise<boolean> {
    const rows = await this.database.run(sql.REVOKE_OWN_GRANT, [
      ...this.values(id, reason, by),
      userId,
      kind,
    ]);
    return rows.length > 0;
  }

  private values(id: string, reason: string, { actor, origin }: Revoker): unknown[] {
    return [id, new Date(this.clock.now()), reason, actor, origin.ip, origin.requestId];
  }
}
