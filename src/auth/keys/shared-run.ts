/**
 * Does work once for all who ask for it at the same time. A caller who asks during a run waits for the next run, because this
 * one may have begun too early; and there is a pause between two runs. So however many ask, the work is done at most once in
 * each pause, and no answer is older than its question.
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
