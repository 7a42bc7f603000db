const SECOND = 1_000;

/**
 * Writes once a second what happens to every request of an outage: the first event at once, and at the end of the second the last
 * event, with the number of events that were left out.
 */
export class OnceASecond<T> {
  private pause: NodeJS.Timeout | undefined;
  private last: T | undefined;
  private unsaid = 0;

  /** @param write gets the number of events that were left out since the line before: 0 for the first line */
  constructor(private readonly write: (one: T, unsaid: number) => void) {}

  say(one: T): void {
    if (!this.pause) return this.speak(one, 0);
    this.last = one;
    this.unsaid += 1;
  }

  private speak(one: T, unsaid: number): void {
    this.pause = setTimeout(() => this.catchUp(), SECOND).unref();
    this.write(one, unsaid);
  }

  private catchUp(): void {
    this.pause = undefined;
    const { last, unsaid } = this;
    if (last === undefined) return;
    this.last = undefined;
    this.unsaid = 0;
    this.speak(last, unsaid - 1);
  }
}
