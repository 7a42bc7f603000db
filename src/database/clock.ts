import { Injectable } from '@nestjs/common';
import type { Queries, Statement } from './statement.js';

/** The only clock of the program. Tests inject one that they set by hand. */
export abstract class Clock {
  /** Milliseconds since the epoch, by the clock of the database. */
  abstract now(): number;

  /** Whole seconds since the epoch, rounded down: the unit of `exp` and `iat` (RFC 7519 §2). */
  seconds(): number {
    return Math.floor(this.now() / 1_000);
  }
}

/**
 * The database's time, carried forward by this machine's monotonic clock. So all instances agree on what has expired,
 * even if their wall clocks differ.
 */
@Injectable()
export class DatabaseClock extends Clock {
  private base = Date.now();
  private mark = performance.now();

  now(): number {
    return this.base + (performance.now() - this.mark);
  }

  /**
   * Sets this clock by a reading of the database's clock.
   * @param epochMs the answer of the database: milliseconds since the epoch
   * @param sentAt `performance.now()` when the question was sent; a reading that took over 250 ms is too vague and is
   * ignored
   */
  synchronise(epochMs: number, sentAt: number): void {
    const heardAt = performance.now();
    if (heardAt - sentAt > 250) return;
    this.base = epochMs + (heardAt - sentAt) / 2;
    this.mark = heardAt;
  }
}

/** Converts whole seconds since the epoch to the type that the database takes. */
export function timestamp(seconds: number): Date {
  return new Date(seconds * 1_000);
}

const DATABASE_TIME: Statement = { name: 'time_of_database', text: 'SELECT clock_timestamp() AS now' };

/**
 * The time by the database's clock. All times in the database come from this clock. For verbs of the command line.
 * @throws Unavailable
 */
export async function databaseTime(queries: Queries): Promise<Date> {
  const [row] = await queries.run<{ now: Date }>(DATABASE_TIME);
  if (!row) throw new Error('the database did not tell the time');
  return row.now;
}
