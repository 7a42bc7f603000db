import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { GIVE_UP, GIVEN_UP_STEP } from './deliveries.sql.js';
import { LIST_RECEIVERS, type ReceiverRow } from './receivers.sql.js';
import { SealedAuthorizations } from './sealed-authorizations.js';

/** Events that have waited longer than this many days are given up. */
export const WAITS_DAYS = 3;

/**
 * Owns the regular work on receivers: it gives up events that are too old or too many and logs that, re-encrypts
 * authorizations, and keeps the state of the receivers for metrics.
 */
@Injectable()
export class ReceiverUpkeep {
  private readonly logger = new Logger('receivers');
  private seen: readonly ReceiverRow[] = [];

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sealed: SealedAuthorizations,
  ) {}

  /** The receivers, as this process last read them. */
  get receivers(): readonly ReceiverRow[] {
    return this.seen;
  }

  /** Any number of instances may run it at once. @throws Unavailable */
  async run(): Promise<void> {
    this.seen = await this.database.run<ReceiverRow>(LIST_RECEIVERS);
    if (this.seen.length === 0) return;
    await this.giveUp();
    await this.sealed.reseal();
  }

  private async giveUp(): Promise<void> {
    for (let gone = GIVEN_UP_STEP; gone === GIVEN_UP_STEP;) {
      const now = this.clock.now();
      const rows = await this.database.run<{ name: string; events: number }>(GIVE_UP, [
        new Date(now - WAITS_DAYS * 86_400_000),
        new Date(now),
      ]);
      for (const { name, events } of rows)
        this.logger.warn(`${events} events for ${name} were given up: they were too old, or too many`);
      gone = rows.reduce((sum, { events }) => sum + events, 0);
    }
  }
}
