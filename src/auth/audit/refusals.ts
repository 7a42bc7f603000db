import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { WireError } from '../../http/errors/wire-error.js';
import type { RequestOrigin } from '../request-origin.js';
import { auditValues, INSERT_AUDIT_EVENT } from './audit-event.js';
import { Repeats, type Which } from './repeats.js';
import type { Statement } from '../../database/statement.js';

/** Who was refused what. Nothing in it comes from the request, unless it has proved to be ours. */
export interface Refused {
  readonly type: 'token.refused' | 'client.refused' | 'user_code.refused';
  /** `user:NAME` or `client:ID` if that was proved, else null. */
  readonly actor: string | null;
  readonly origin: RequestOrigin;
  readonly detail?: Readonly<Record<string, string | null>>;
  /** The refresh token that was presented: the event is about it and its grant, if the database knows it. */
  readonly presented?: { readonly digest: Buffer; readonly expiresAt: number };
  /** The digest of something else that its holder can present for ever, such as a code. */
  readonly digest?: Buffer;
}

const INSERT_REFUSED_REFRESH: Statement = {
  name: 'insert_refused_refresh',
  text: `INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
         SELECT $1, $2, $3, coalesce($4, r.grant_id), coalesce($5, r.id), $6, $7, $8
           FROM (SELECT) AS one LEFT JOIN refresh_tokens r ON r.digest = $9 AND r.expires_at = $10`,
};

const EVERY_MS = 10_000;
const NOWHERE: RequestOrigin = { ip: null, userAgent: null, requestId: null };

/**
 * Writes what was refused, and why. Nothing else changed, so the event has no other transaction. Whoever holds a dead refresh
 * token or code can present it for ever. So each of them makes one row a minute, and a count; and all of them together make a
 * limited number of rows a minute, however many networks they come from.
 */
@Injectable()
export class Refusals implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('audit');
  private readonly repeats = new Repeats<{ readonly refused: Refused; readonly reason: string }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), EVERY_MS).unref();
  }

  /** While the pools are still open. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush(Infinity);
  }

  /** Does `work`. If it ends in an error for the wire, the code of the error is in the audit log before the caller gets it. */
  async noting<T>(refused: Refused, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof WireError) await this.note(refused, error.code);
      throw error;
    }
  }

  async note(refused: Refused, reason: string): Promise<void> {
    await this.flush();
    const which = whichOf(refused, reason);
    if (!this.repeats.isFirst(which, { refused, reason }, this.clock.now())) return;
    try {
      await this.write(refused, { reason });
    } catch (error) {
      this.repeats.forget(which);
      throw error;
    }
  }

  /** Writes how often refusals were repeated. If this fails, no answer fails with it. */
  async flush(now = this.clock.now()): Promise<void> {
    if (this.repeats.size === 0 || !this.database.open) return;
    for (const { last, times, isRest } of this.repeats.over(now)) {
      const { refused, reason } = last;
      const told = isRest
        ? this.write({ type: refused.type, actor: null, origin: NOWHERE }, { reason, others: times })
        : this.write(refused, { reason, repeated: times });
      await told.catch((error: unknown) => {
        this.logger.warn(`${times} refusals were not noted: ${error instanceof Error ? error.message : ''}`);
      });
    }
  }

  private async write({ type, actor, origin, detail, presented }: Refused, more: object): Promise<void> {
    const values = auditValues(this.clock, { type, actor, origin, detail: { ...detail, ...more } });
    if (!presented) await this.database.run(INSERT_AUDIT_EVENT, values);
    else
      await this.database.run(INSERT_REFUSED_REFRESH, [
        ...values,
        presented.digest,
        timestamp(presented.expiresAt),
      ]);
  }
}

function whichOf({ type, actor, presented, digest = presented?.digest }: Refused, reason: string): Which {
  return {
    kind: `${type} ${reason}`,
    key: digest && `${digest.toString('hex')} ${actor} ${reason}`,
  };
}
