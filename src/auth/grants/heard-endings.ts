import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { END_ALL_GRANTS } from './owner-ending.sql.js';
import * as sql from './heard-endings.sql.js';

const EVERY_MS = 1_000;
/** Each read goes back this far, so it also finds ends that a slow clock dated too early, or late commits. */
const BACK_MS = 5_000;

/**
 * Hears of the grants that others have ended: commands, processes that have exited since, a person with psql. After a
 * failover to a standby that had fallen behind, nobody else could end these grants again.
 */
@Injectable()
export class HeardEndings implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('grants');
  private timer: NodeJS.Timeout | undefined;
  /** Ids of the last read. The next read may return them again. */
  private known = new Set<string>();
  private running: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.listen(), EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private listen(): void {
    if (this.running || !this.database.open) return;
    this.running = this.hear()
      .catch((error: unknown) => this.logger.debug(`nothing is heard of ends: ${String(error)}`))
      .finally(() => (this.running = undefined));
  }

  private async hear(): Promise<void> {
    const since = [new Date(this.clock.now() - BACK_MS)];
    const owners = await this.database.run<sql.OwnerEndedRow>(sql.OWNERS_ENDED_SINCE, since);
    const grants = await this.database.run<sql.EndedRow>(sql.ENDED_SINCE, since);
    const unknown = ({ id }: { readonly id: string }): boolean => !this.known.has(id);
    const [allOf, single] = [owners.filter(unknown), grants.filter(unknown)];
    for (const { ended_at: at, reason, actor, ip, request_id: request, ...of } of allOf) {
      const values = [at, reason, actor, ip, request, of.user_id, of.kinds, of.except_grant_id, of.beyond];
      this.database.remember(END_ALL_GRANTS, values);
    }
    if (single.length > 0)
      this.database.remember(sql.END_HEARD, [
        single.map(({ id }) => id),
        single.map(({ revoked_at: at }) => at),
        single.map(({ revoked_reason: reason }) => reason),
      ]);
    const more = allOf.length + single.length;
    if (more > 0) this.logger.log(`remembered for a failover: ${more} ends`);
    this.known = new Set([...owners, ...grants].map(({ id }) => id));
  }
}
