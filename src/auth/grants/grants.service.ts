import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import type { Statement } from '../../database/statement.js';
import { NEWEST, type Part, type Position } from '../lists/cursors.js';
import { ToldGuards } from '../leases/told-guards.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { revocation, type GrantKind } from './grant-revocation.js';
import * as sql from './grants.sql.js';
import { listLiving } from './living-grants.js';
import type { Initiator } from '../audit/actor.js';

/** A grant of a user. */
export interface OwnGrant {
  readonly id: string;
  readonly userId: string;
  readonly kind: GrantKind;
}

/** Whose grants to list; everybody's if both are absent. If both are given, the list is empty. */
export interface GrantOwner {
  readonly userId?: string | undefined;
  readonly clientId?: string | undefined;
}

/** Owns the lists of grants, and the end of a single grant. All tokens of a grant die with it. */
@Injectable()
export class GrantsService {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  /** @returns false if the user has no such living grant; of fifty concurrent calls, exactly one returns true */
  async revokeOwn({ id, userId, kind }: OwnGrant, reason: string, by: Initiator): Promise<boolean> {
    const values = [...revocation(this.clock, reason, by), id, userId, kind];
    const rows = await this.told.database.run(sql.REVOKE_OWN_GRANT, values);
    if (kind === 'login') await this.told.wait();
    this.telemetry.revoked('grant', rows.length);
    return rows.length > 0;
  }

  /** Ends anybody's grant, for an operator or administrator. @returns false if there is no such living grant */
  revoke(id: string, by: Initiator): Promise<boolean> {
    return this.revokeWith(sql.REVOKE_GRANT, id, by);
  }

  /** Like `revoke`, but ends a login only: if the id is of an API key by mistake, nothing ends. */
  revokeLogin(id: string, by: Initiator): Promise<boolean> {
    return this.revokeWith(sql.REVOKE_LOGIN, id, by);
  }

  /** Lists living grants, newest first. */
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

  /** Lists the living logins or API keys of one person, newest first. */
  listOwn<K extends keyof sql.OwnGrantRows>(
    kind: K,
    userId: string,
    limit: number,
    after: Position = NEWEST,
  ): Promise<Part<sql.OwnGrantRows[K]>> {
    const living = {
      statement: sql.LIST_OWN_GRANTS[kind],
      owner: userId,
      now: new Date(this.clock.now()),
    };
    return listLiving(this.told.database, living, after, limit);
  }

  private async revokeWith(statement: Statement, id: string, by: Initiator): Promise<boolean> {
    const values = [...revocation(this.clock, 'revoked_by_operator', by), id];
    const rows = await this.told.database.run(statement, values);
    await this.told.wait();
    this.telemetry.revoked('grant', rows.length);
    return rows.length > 0;
  }
}
