import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import * as sql from './numbers-history.sql.js';
import { Telemetry } from './telemetry.js';

/** Seconds that one row covers. */
export const HISTORY_STEP = 300;
/** Seconds that the history covers. */
export const HISTORY_SPAN = 86_400;

const NOTHING: sql.HistoryNumbers = {
  issued: 0,
  validated: 0,
  refused: 0,
  unanswered: 0,
  logins_refused: 0,
  revoked: 0,
};

/**
 * Owns the counts of the last day. Every five minutes, each process adds its counts to a row that all processes share.
 * If a process is killed, its last counts are lost: these are numbers for people, not for accounting.
 */
@Injectable()
export class NumbersHistory implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('numbers');
  private timer: NodeJS.Timeout | undefined;
  private added = NOTHING;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.turn(), HISTORY_STEP * 1_000).unref();
  }

  /** Runs while the pools are still open: they close one step later. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.turn();
  }

  /** Adds the counts since the last call. @throws Unavailable; then the next call adds them */
  async add(): Promise<void> {
    const counted = this.counted();
    const before = this.added;
    const fresh = sql.HISTORY_NUMBERS.map((name) => counted[name] - before[name]);
    if (fresh.every((count) => count === 0)) return;
    const now = this.clock.seconds();
    this.added = counted;
    try {
      await this.database.run(sql.ADD_TO_HISTORY, [
        timeOf(now - (now % HISTORY_STEP)),
        ...fresh,
        timeOf(now - HISTORY_SPAN - HISTORY_STEP),
      ]);
    } catch (error) {
      this.added = before;
      throw error;
    }
  }

  /** The rows of the last day, oldest first. Five minutes without any count have no row. */
  read(): Promise<sql.HistoryRow[]> {
    return this.database.run<sql.HistoryRow>(sql.READ_HISTORY, [timeOf(this.clock.seconds() - HISTORY_SPAN)]);
  }

  private async turn(): Promise<void> {
    try {
      if (this.database.open) await this.add();
    } catch (error) {
      this.logger.warn(`put off: ${error instanceof Error ? error.message : 'unknown fault'}`);
    }
  }

  private counted(): sql.HistoryNumbers {
    const { validations, issues, refusedLogins, revocations } = this.telemetry;
    const { active, unavailable, ...refused } = validations;
    return {
      issued: Object.values(issues).reduce((total, { opaque, jwt }) => total + opaque + jwt, 0),
      validated: active,
      refused: sum(refused),
      unanswered: unavailable,
      logins_refused: sum(refusedLogins),
      revoked: sum(revocations),
    };
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function timeOf(seconds: number): Date {
  return new Date(seconds * 1_000);
}
