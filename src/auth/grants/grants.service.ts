import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import type { Statement } from '../../database/statement.js';
import { NEWEST, type Part, type Position } from '../lists/cursors.js';
import { ToldGuards } from '../leases/told-guards.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { GrantKind } from './grant-revocation.js';
import * as sql from './grants.sql.js';
import { listLiving } from './living-grants.js';
import type { Initiator } from '../audit/actor.js';

/** One of a user's own grants. */
export interface OwnGrant {
  readonly id: string;
  readonly userId: string;
  readonly kind: GrantKind;
}

/** Whose grants; of both at once there are none. */
export interface GrantOwner {
  readonly userId?: string | undefined;
  readonly clientId?: string | undefined;
}

/** Owns what operators see of grants, and the end of single ones: with it all of their tokens die. */
@Injectable()
export class GrantsService {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  /** @returns false if there is no such living grant of this user: of fifty at once, one is told true */
  async revokeOwn({ id, userId, kind }: OwnGrant, reason: string, by: Initiator): Promise<boolean> {
    const rows = await this.told.database.run(sql.REVOKE_OWN_GRANT, [
      ...this.values(id, reason, by),
      userId,
      kind,
    ]);
    if (kind === 'login') await this.told.wait();
    this.telemetry.revoked('grant', rows.length);
    return rows.length > 0;
  }

  /** Anybody's, by an operator. @returns false if there is no such living grant */
  revoke(id: string, by: Initiator): Promise<boolean> {
    return this.revokeWith(sql.REVOKE_GRANT, id, by);
  }

  /** As `revoke`, if it is somebody's login: who mistakes the id of a key for one ends nothing. */
  revokeLogin(id: string, by: Initiator): Promise<boolean> {
    return this.revokeWith(sql.REVOKE_LOGIN, id, by);
  }

  /** Those that are alive, newest first. */
  async list(
    { userId, clientId }: GrantOwner,
    limit: number,
    after: Position = NEWEST,
  ): Promise<Part<sql.GrantRow>> {
    if (userId !== undefined && clientId !== undefined) return { rows: [], rest: undefined };
    const of = userId !== undefined ? 'user' : clientId !== undefined ? 'client' : 'anybody';
    const statement = sql.LIST_GRANTS[of];
    const living = { statement, owner: userId ?? clientId, now: new Date(this.clock.now()) };
    return listLiving(this.told.database, living, after, limit);
  }

  private async revokeWith(statement: Statement, id: string, by: Initiator): Promise<boolean> {
    const rows = await this.told.database.run(statement, this.values(id, 'revoked_by_operator', by));
    await this.told.wait();
    this.telemetry.revoked('grant', rows.length);
    return rows.length > 0;
  }

  private values(id: string, reason: string, { actor, origin }: Initiator): unknown[] {
    return [id, new Date(this.clock.now()), reason, actor, origin.ip, origin.requestId];
  }
}
