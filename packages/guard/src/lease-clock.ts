/** Both in milliseconds. */
export interface Clocks {
  readonly monotonic: () => number;
  readonly wall: () => number;
}

export interface Stamp {
  readonly monotonic: number;
  readonly wall: number;
}

/** Clocks of two machines go by so much at different speeds. */
const DRIFT = 0.99;

/**
 * How old something is on this machine. The monotonic clock stands still while a machine sleeps, and the other may be set: the
 * one that says more is believed, and a clock that went back says that nobody knows.
 */
export class LeaseClock {
  constructor(
    private readonly clocks: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() },
  ) {}

  /** To be taken before the question is sent. */
  stamp(): Stamp {
    return { monotonic: this.clocks.monotonic(), wall: this.clocks.wall() };
  }

  /** @returns milliseconds that are left of a lease which began with the stamp; 0 or less if it is over */
  left(lease: number, { monotonic, wall }: Stamp): number {
    const aged = Math.max(this.clocks.monotonic() - monotonic, this.clocks.wall() - wall);
    return lease * DRIFT - aged;
  }
}
