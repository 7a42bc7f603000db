/** Rings once, at the earliest time that it was set for. */
export class Alarm {
  private at = Infinity;
  private timer: NodeJS.Timeout | undefined;
  private soon: NodeJS.Immediate | undefined;

  constructor(private readonly rings: () => void) {}

  /** @param at on the clock of `performance.now()`; a past time rings right after this turn of the event loop */
  setFor(at: number): void {
    if (at >= this.at) return;
    this.stop();
    this.at = at;
    const left = at - performance.now();
    if (left > 0) this.timer = setTimeout(() => this.ring(), Math.ceil(left)).unref();
    else this.soon = setImmediate(() => this.ring());
  }

  stop(): void {
    this.at = Infinity;
    clearTimeout(this.timer);
    clearImmediate(this.soon);
  }

  private ring(): void {
    this.at = Infinity;
    this.rings();
  }
}
