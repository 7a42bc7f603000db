import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { Telemetry } from '../telemetry/telemetry.js';
import * as sql from './owner-ending.sql.js';
import type { Queries } from '../../database/statement.js';

const EVERY_MS = 10_000;
/** At least this between two steps, and never less than the step before took: half of one connection's time at most. */
const PAUSE_MS = 20;

/**
 * Writes into the rows of single grants that they have ended with all of their owner's, and then takes the ending away. Until
 * then each look-up sees the ending, so nothing depends on when this happens, or where: any instance goes on where another
 * one stopped.
 */
@Injectable()
export class EndingSweeper implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('grants');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly telemetry: Telemetry,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.wake(), EVERY_MS).unref();
  }

  /** While the pools are still open. What is left, others do, or the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Returns at once. */
  wake(): void {
    if (this.running || this.stopped || !this.database.open) return;
    this.running = this.sweep().finally(() => (this.running = undefined));
  }

  /** Until no ending is left that nobody else is at. One that cannot be swept now does not hold up the others. */
  private async sweep(): Promise<void> {
    const putOff: string[] = [];
    while (!this.stopped) {
      const began = performance.now();
      let ending: sql.EndingRow | undefined;
      try {
        const revoked = await this.database.transaction(async (queries) => {
          [ending] = await queries.run<sql.EndingRow>(sql.CLAIM_ENDING, [putOff]);
          return ending ? await step(queries, ending) : 0;
        });
        this.telemetry.revoked('grant', revoked);
        if (!ending) return;
      } catch (error) {
        const why = error instanceof Error ? error.message : '';
        this.logger.warn(`grants that have ended are written down later: ${why}`);
        if (!ending) return;
        putOff.push(ending.id);
      }
      const pause = Math.max(PAUSE_MS, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** @returns how many grants were alive until their ending */
async function step(queries: Queries, ending: sql.EndingRow): Promise<number> {
  const { id, user_id: userId, ended_at, reason, actor, ip, request_id, swept_to } = ending;
  const values = [ended_at, reason, actor, ip, request_id, userId, swept_to, id];
  await queries.run(sql.ALONG_THE_KEY);
  const [swept] = await queries.run<sql.SweptRow>(sql.SWEEP_STEP, values);
  if (swept?.last) await queries.run(sql.SWEPT_TO, [id, swept.last]);
  else await queries.run(sql.ENDING_IS_SWEPT, [id]);
  return swept?.revoked ?? 0;
}
