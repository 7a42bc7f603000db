import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { INSERT_AUDIT_EVENT, auditValues } from '../audit/audit-event.js';
import { OwnerEndings } from '../grants/owner-endings.js';
import { scopeOfUser } from '../scope.js';
import * as sql from './users.sql.js';
import type { Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';

export interface UserChange {
  /** Space-separated, each of it grantable. */
  readonly scope?: string | undefined;
  readonly disabled?: boolean | undefined;
}

/** All that a user's row can lock: what changes about a user ends the grants that it must, in the same transaction. */
@Injectable()
export class UserChanges {
  constructor(
    private readonly clock: Clock,
    private readonly endings: OwnerEndings,
  ) {}

  /**
   * Disabling revokes every grant; taking scope away revokes the grants that may do more than is left. Neither enabling
   * nor giving scope gives anything back.
   * @returns undefined if there is no such user
   */
  async change(id: string, change: UserChange, by: Initiator): Promise<sql.UserRow | undefined> {
    return this.endings.transaction(async (queries, end) => {
      const [row] = await queries.run<sql.ChangedUserRow>(sql.CHANGE_USER, [
        id,
        change.scope ?? null,
        change.disabled ?? null,
        new Date(this.clock.now()),
      ]);
      if (!row) return undefined;
      const disabled = row.disabled_at !== null;
      const grants = { userId: id, kinds: ['login', 'api_key'] } as const;
      if (disabled) await end(grants, 'user_disabled', by);
      else if (row.scope !== row.scope_before)
        await end({ ...grants, beyond: scopeOfUser(row.scope) }, 'scope_changed', by);
      if (disabled !== row.disabled_before)
        await this.audit(queries, disabled ? 'user.disabled' : 'user.enabled', row, by);
      if (row.scope !== row.scope_before)
        await this.audit(queries, 'user.scope_changed', row, by, {
          scope: row.scope,
          before: row.scope_before,
        });
      return row;
    });
  }

  /** All of a user's tokens and keys, at once. @returns false if there is no such user */
  async revokeAll(id: string, by: Initiator): Promise<boolean> {
    return this.endings.transaction(async (queries, end) => {
      const [row] = await queries.run<sql.UserRow>(sql.LOCK_USER, [id]);
      if (!row) return false;
      const { grants } = await end({ userId: id, kinds: ['login', 'api_key'] }, 'user_revoked', by);
      await this.audit(queries, 'user.revoked', row, by, { grants });
      return true;
    });
  }

  private async audit(
    queries: Queries,
    type: string,
    { name }: sql.UserRow,
    by: Initiator,
    detail: object = {},
  ): Promise<void> {
    const event = { type, ...by, detail: { user: name, ...detail } };
    await queries.run(INSERT_AUDIT_EVENT, auditValues(this.clock, event));
  }
}
