import { Clock } from '../../src/database/clock.js';

/** Real time, shifted by hand. */
export class ManualClock extends Clock {
  private offset = 0;
  private frozen: number | undefined;

  now(): number {
    return (this.frozen ?? Date.now()) + this.offset;
  }

  /** From now on only by hand: for a test whose seconds must not be eaten by a busy machine. */
  freeze(): void {
    this.frozen ??= Date.now();
  }

  thaw(): void {
    this.frozen = undefined;
  }

  advance(seconds: number): void {
    this.offset += Math.round(seconds * 1_000);
  }

  /** Whatever this does to the clock: afterwards it is as far from real time as before. Going back to a second is not that. */
  async during(act: () => Promise<void>): Promise<void> {
    const { offset, frozen } = this;
    try {
      await act();
    } finally {
      this.offset = offset;
      this.frozen = frozen;
    }
  }

  /** Goes to the very millisecond at which this second begins: whole numbers, so that none is lost to rounding. */
  goTo(epochSeconds: number): void {
    this.offset += epochSeconds * 1_000 - this.now();
  }
}
