/** Both in milliseconds. */
export interface Clocks {
  readonly monotonic: () => number;
  readonly wall: () => number;
}

export interface Stamp {
  readonly monotonic: number;
  readonly wall: number;
}

/** The clocks of two machines may run at speeds that differ by so much. */
const DRIFT = 0.99;

/** The wall clock is corrected by so much without having been set: milliseconds. */
const CORRECTED = 20;

/**
 * Says how old something is on this machine. The monotonic clock stands still while a machine sleeps, and the wall clock may be
 * set. So the clock that shows the greater age counts; and if the wall clock was set back, it may hide a sleep, so nobody knows.
 */
export class LeaseClock {
  constructor(
    private readonly clocks: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() },
  ) {}

  /** Take it before the question is sent. */
  stamp(): Stamp {
    return { monotonic: this.clocks.monotonic(), wall: this.clocks.wall() };
  }

  /** @returns milliseconds until a lease that began with the stamp ends; 0 or less if it has ended */
  left(lease: number, { monotonic, wall }: Stamp): number {
    const [awake, passed] = [this.clocks.monotonic() - monotonic, this.clocks.wall() - wall];
    const aged = passed < awake * DRIFT - CORRECTED ? lease : Math.max(awake, passed);
    return lease * DRIFT - aged;
  }
}
