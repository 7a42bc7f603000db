import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { INSERT_AUDIT_EVENT, auditValues } from '../audit/audit-event.js';
import { NEWEST, type Part, type Position } from '../lists/cursors.js';
import { listLiving } from '../grants/living-grants.js';
import { OwnerEndings } from '../grants/owner-endings.js';
import type { RequestOrigin } from '../request-origin.js';
import { lockUser } from '../users/users-directory.js';
import * as sql from './sessions.sql.js';

/** Owns what people see of their own logins, and the end of all of them. How one begins belongs to grants/. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly endings: OwnerEndings,
  ) {}

  /** Those that are alive, newest first. */
  list(userId: string, after: Position = NEWEST, limit: number): Promise<Part<sql.SessionRow>> {
    const living = { statement: sql.LIST_SESSIONS, owner: userId, now: new Date(this.clock.now()) };
    return listLiving(this.database, living, after, limit);
  }

  /**
   * Everywhere, the one that asks included: two statements, so that no login slips through between.
   * @param keys whether the API keys end too
   */
  async revokeAll(userId: string, keys: boolean, origin: RequestOrigin): Promise<void> {
    await this.endings.transaction(async (transaction, end) => {
      const user = await lockUser(transaction.entities, userId);
      if (!user) return;
      const by = { actor: `user:${user.name}`, origin };
      const kinds = keys ? (['login', 'api_key', 'consent'] as const) : (['login'] as const);
      const { grants } = await end({ userId, kinds }, 'sessions_revoked', by);
      const event = {
        type: 'user.sessions_revoked',
        ...by,
        detail: { user: user.name, user_id: userId, grants, keys },
      };
      await transaction.run(INSERT_AUDIT_EVENT, auditValues(this.clock, event));
    });
  }
}
