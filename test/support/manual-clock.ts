import { Clock } from '../../src/database/clock.js';

/** Real time, shifted by hand. */
export class ManualClock extends Clock {
  private offset = 0;

  now(): number {
    return Date.now() + this.offset;
  }

  advance(seconds: number): void {
    this.offset += seconds * 1_000;
  }
}
