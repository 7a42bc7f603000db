import { Injectable } from '@nestjs/common';

/** The only clock of the program. Tests inject one that they turn by hand. */
export abstract class Clock {
  /** Milliseconds since the epoch, by the clock of the database. */
  abstract now(): number;

  /** Whole seconds since the epoch, rounded down: what `exp` and `iat` are written in (RFC 7519 §2). */
  seconds(): number {
    return Math.floor(this.now() / 1_000);
  }
}

/**
 * The database's time, carried forward on this machine's monotonic clock: all instances agree on what has expired,
 * whatever their wall clocks say and however those jump.
 */
@Injectable()
export class DatabaseClock extends Clock {
  private base = Date.now();
  private mark = performance.now();

  now(): number {
    return this.base + (performance.now() - this.mark);
  }

  /**
   * Takes over a reading of the database's clock.
   * @param epochMs what the database answered
   * @param sentAt `performance.now()` when it was asked; a reading that took over 250 ms is too vague to keep
   */
  synchronise(epochMs: number, sentAt: number): void {
    const heardAt = performance.now();
    if (heardAt - sentAt > 250) return;
    this.base = epochMs + (heardAt - sentAt) / 2;
    this.mark = heardAt;
  }
}

/** Whole seconds since the epoch -> what the database takes. */
export function timestamp(seconds: number): Date {
  return new Date(seconds * 1_000);
}
