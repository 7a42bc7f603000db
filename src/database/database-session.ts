import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DatabaseClock } from './clock.js';
import { Database } from './database.js';
import { Maintenance } from './schema/maintenance.js';
import { DatabaseRefusal } from './database-refusal.js';
import { migrate } from './schema/migrator.js';
import { describePooler, meetPooler } from './pooler.js';
import { PooledDataSource } from './pooled-data-source.js';
import { Unavailable } from '../http/errors/unavailable.js';
import type { DatabaseConnection } from './session-settings.js';

const RETRY_FIRST_MS = 200;
const RETRY_MOST_MS = 2_000;
const CLOCK_EVERY_MS = 5_000;
const TIMELINE_EVERY_MS = 1_000;
const MAINTENANCE_EVERY_MS = 3_600_000;

const DATABASE_TIME = {
  name: 'database_time',
  text: 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
};

/**
 * One session with the database: connects, migrates, keeps the clock and the partitions up to date, and disconnects at
 * the end.
 */
@Injectable()
export class DatabaseSession implements OnApplicationShutdown {
  private readonly logger = new Logger('database');
  private readonly timers: NodeJS.Timeout[] = [];
  private ended = false;
  private prepared = false;
  private repeating = false;

  constructor(
    private readonly database: Database,
    private readonly clock: DatabaseClock,
    private readonly maintenance: Maintenance,
    @InjectDataSource() private readonly source: PooledDataSource,
  ) {}

  /** True once the partitions are made. Before that, the server answers requests, but a balancer need not send any. */
  get ready(): boolean {
    return this.prepared;
  }

  /**
   * One attempt to connect, for servers: opens the pools, makes partitions ahead of need, and starts the timers that
   * repeat this.
   * @param tell receives in a few words what is done to the schema
   * @throws DatabaseRefusal when waiting would not help
   */
  async connect(connection: DatabaseConnection, tell?: (progress: string) => void): Promise<void> {
    await this.open(connection, tell);
    await this.maintenance.prepare(connection);
    this.prepared = true;
    this.every(MAINTENANCE_EVERY_MS, () => this.maintenance.run());
    await this.repeatEndings();
    this.every(TIMELINE_EVERY_MS, () => this.repeatEndings());
  }

  /**
   * For the verbs of the command line: migrates, opens the pools, sets the clock.
   * @throws DatabaseRefusal when waiting would not help
   */
  async open(
    connection: DatabaseConnection,
    tell: (progress: string) => void = () => undefined,
  ): Promise<void> {
    const done = await migrate(connection, tell);
    if (done.length > 0) this.logger.log(`migrated: ${done.join(', ')}`);
    const pooler = await meetPooler(connection);
    if (pooler) this.logger.log(describePooler(pooler));
    this.maintenance.use(connection);
    await this.database.attach(connection, this.source);
    await this.synchroniseClock();
    this.every(CLOCK_EVERY_MS, () => this.synchroniseClock());
  }

  /**
   * Tries to connect until it succeeds, with growing pauses. Resolves on success, or when the application shuts down.
   * @param tell as in `connect`
   * @throws DatabaseRefusal
   */
  async connectPatiently(
    connection: DatabaseConnection,
    afterFailure: (error: Error) => void,
    tell?: (progress: string) => void,
  ): Promise<void> {
    for (let pause = RETRY_FIRST_MS; !this.ended; pause = Math.min(pause * 2, RETRY_MOST_MS)) {
      try {
        return await this.connect(connection, tell);
      } catch (error) {
        await this.letGo();
        if (error instanceof DatabaseRefusal || !(error instanceof Error)) throw error;
        afterFailure(error);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.ended = true;
    await this.letGo();
  }

  private async letGo(): Promise<void> {
    this.prepared = false;
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    await this.database.detach();
  }

  private async synchroniseClock(): Promise<void> {
    const sentAt = performance.now();
    const [row] = await this.database.run<{ ms: number }>(DATABASE_TIME);
    if (row) this.clock.synchronise(row.ms, sentAt);
  }

  /**
   * Repeats recent endings after a failover. Some providers of PostgreSQL do not show the timeline. Then the timeline
   * counts as unchanged.
   */
  private async repeatEndings(): Promise<void> {
    if (this.repeating) return;
    this.repeating = true;
    try {
      const done = await this.database.repeatEndings();
      if (done)
        this.logger.warn(
          `another server has become the primary: the endings of the last ten minutes were done again, of which it did not know ${done.lost}`,
        );
    } catch (error) {
      if (error instanceof Unavailable) return;
      this.logger.debug(`the timeline cannot be seen: ${String(error)}`);
    } finally {
      this.repeating = false;
    }
  }

  private every(ms: number, work: () => Promise<unknown>): void {
    const timer = setInterval(() => {
      work().catch((error: unknown) => this.logger.warn(`put off: ${String(error)}`));
    }, ms);
    this.timers.push(timer.unref());
  }
}
