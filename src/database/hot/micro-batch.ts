import { Unavailable } from '../../http/errors/unavailable.js';
import { spanPlace, traced, type SpanPlace } from '../../tracing/tracing.js';

interface Waiting<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (reason: unknown) => void;
  readonly place: SpanPlace | undefined;
}

export interface MicroBatchLimits {
  /** Under which its flights can be watched. */
  readonly name: string;
  /** Questions in one statement. */
  readonly size: number;
  /** As many are sent at once if a flight is free, and not only after the turn. */
  readonly eager?: number;
  /** Statements in flight at once. */
  readonly flights: number;
  /** Questions that may wait; beyond it the answer is `Unavailable` at once. */
  readonly queue: number;
}

/**
 * Questions that arrive together share one statement. A question joins a batch that is not yet sent, never one in flight: the
 * answer of that one could be older than a revoke that was acknowledged in between.
 */
export class MicroBatch<Q, A> {
  private waiting: Waiting<Q, A>[] = [];
  private flying = 0;
  private scheduled = false;

  /** @param send answers in the order of the questions */
  constructor(
    private readonly send: (questions: readonly Q[]) => Promise<readonly A[]>,
    private readonly limits: MicroBatchLimits,
    private readonly onBatch: (size: number) => void = () => undefined,
  ) {}

  ask(question: Q): Promise<A> {
    if (this.waiting.length >= this.limits.queue)
      return Promise.reject(new Unavailable('too many requests are waiting for the database'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ question, resolve, reject, place: spanPlace() });
      if (this.waiting.length === this.limits.eager) this.take();
      else this.schedule();
    });
  }

  get depth(): number {
    return this.waiting.length;
  }

  /** After the I/O of this turn of the event loop, so that every request read in it comes along. */
  private schedule(): void {
    if (this.scheduled || this.flying >= this.limits.flights) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.take();
    });
  }

  private take(): void {
    while (this.waiting.length > 0 && this.flying < this.limits.flights) {
      const batch = this.waiting.splice(0, this.limits.size);
      this.flying += 1;
      this.onBatch(batch.length);
      void this.fly(batch);
    }
  }

  private async fly(batch: readonly Waiting<Q, A>[]): Promise<void> {
    try {
      const answers = await traced(
        this.limits.name,
        { 'keks.batch.size': batch.length },
        () => this.send(batch.map((one) => one.question)),
        batch.map((one) => one.place),
      );
      batch.forEach((one, at) => one.resolve(answers[at] as A));
    } catch (error) {
      // the questions behind this flight have waited as long: all get the fault now, within the second
      for (const one of [...batch, ...this.waiting.splice(0)]) one.reject(error);
    } finally {
      this.flying -= 1;
      if (this.waiting.length > 0) this.schedule();
    }
  }
}
