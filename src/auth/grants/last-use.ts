import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { RecentUse } from './recent-use.js';
import type { Statement } from '../../database/statement.js';

const EVERY_MS = 10_000;
/**
 * A use is not noted if the last noted use is younger than this, because each noted use is a row to write. Together
 * with the time between two writes, a time of last use is at most a minute behind.
 */
export const NOTED_SECONDS = 50;
/** How many grants may wait to be written; the others are noted at their next use. */
const MOST = 100_000;

/** Sorted by id, so that two instances lock the rows in the same order. */
const NOTE_LAST_USE: Statement = {
  name: 'note_last_use',
  text: `
    WITH seen AS (
      SELECT g.id, seen.at FROM unnest($1::uuid[], $2::timestamptz[]) AS seen (id, at)
        JOIN grants g ON g.id = seen.id AND (g.last_used_at IS NULL OR g.last_used_at < seen.at)
       ORDER BY g.id FOR NO KEY UPDATE OF g
    )
    UPDATE grants SET last_used_at = seen.at FROM seen WHERE grants.id = seen.id`,
};

/** Owns the times of last use. It collects them in memory and writes them every 10 s, so no validation ever writes. */
@Injectable()
export class LastUse implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('grants');
  /** Whole seconds: V8 stores a small integer in place. Milliseconds would need an object for each validation. */
  private seen = new Map<string, number>();
  private readonly recent = new RecentUse(NOTED_SECONDS);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), EVERY_MS).unref();
  }

  /** While the pools are still open: they close one step later. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  note(grantId: string): void {
    if (this.seen.size >= MOST && !this.seen.has(grantId)) return;
    const now = this.clock.seconds();
    if (this.recent.isNew(grantId, now)) this.seen.set(grantId, now);
  }

  /** Writes all noted times. Times that could not be written are kept for the next call. */
  async flush(): Promise<void> {
    if (this.seen.size === 0 || !this.database.open) return;
    const batch = [...this.seen];
    this.seen = new Map();
    for (let from = 0; from < batch.length; from += 1_000) {
      const part = batch.slice(from, from + 1_000);
      try {
        await this.database.run(NOTE_LAST_USE, [part.map(([id]) => id), part.map(([, at]) => timestamp(at))]);
      } catch (error) {
        this.logger.warn(
          `times of last use were not written: ${error instanceof Error ? error.message : ''}`,
        );
        // times that were noted meanwhile are later, so they win
        this.seen = new Map([...batch.slice(from), ...this.seen].slice(0, MOST));
        return;
      }
    }
  }
}
