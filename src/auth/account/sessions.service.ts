import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { audit } from '../audit/audit-event.js';
import { OwnerEndings } from '../grants/owner-endings.js';
import type { RequestOrigin } from '../request-origin.js';
import { lockUser } from '../users/users-directory.js';

/** Owns the end of all logins of one person; never the list of them, nor how one begins. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly clock: Clock,
    private readonly endings: OwnerEndings,
  ) {}

  /**
   * Everywhere, including the login that asks. Two statements, so that no login slips through between them.
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
      await audit(transaction, this.clock, event);
    });
  }
}
