import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { WireError } from '../../http/wire-error.js';
import type { RequestOrigin } from '../request-origin.js';
import { auditValues, INSERT_AUDIT_EVENT } from './audit-event.js';

/** Who was refused what. Nothing of it comes from the request but what has proved to be ours. */
export interface Refused {
  readonly type: 'token.refused' | 'client.refused';
  /** `user:NAME` or `client:ID` if that was proved, else null. */
  readonly actor: string | null;
  readonly origin: RequestOrigin;
  readonly detail?: Readonly<Record<string, string | null>>;
}

/** What was not done, and why: nothing else changed, so the event stands alone. */
@Injectable()
export class Refusals {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Does `work`; if that ends in an error for the wire, the audit log learns its code before the caller does. */
  async noting<T>(refused: Refused, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof WireError) await this.note(refused, error.code);
      throw error;
    }
  }

  async note({ type, actor, origin, detail }: Refused, reason: string): Promise<void> {
    const event = { type, actor, origin, detail: { ...detail, reason } };
    await this.database.run(INSERT_AUDIT_EVENT, auditValues(this.clock, event));
  }
}
