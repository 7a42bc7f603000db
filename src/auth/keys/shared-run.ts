/**
 * Work that many ask for at once and that is done for all of them together. Who asks while it runs waits for the next
 * run, because this one may have begun too early for him; and between two runs there is a pause. So however many
 * ask, the work is done at most once a pause, and everybody gets what is no older than the question.
 */
export class SharedRun {
  private next: Promise<void> | undefined;
  private rested: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly work: () => Promise<void>,
    private readonly pauseMs: number,
  ) {}

  /** Rejects with what the work rejects with. */
  ask(): Promise<void> {
    this.next ??= this.begin();
    return this.next;
  }

  private async begin(): Promise<void> {
    await this.rested;
    this.next = undefined;
    const run = this.work();
    this.rested = run.catch(() => undefined).then(() => pause(this.pauseMs));
    await run;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
