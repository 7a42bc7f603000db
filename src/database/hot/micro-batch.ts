import { Unavailable } from '../../http/errors/unavailable.js';
import { spanPlace, traced, type SpanPlace } from '../../tracing/tracing.js';

interface Waiting<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (reason: unknown) => void;
  readonly place: SpanPlace | undefined;
}

export interface MicroBatchLimits {
  /** The name of its flights in traces. */
  readonly name: string;
  /** The most questions in one statement. */
  readonly size: number;
  /**
   * When this many questions wait and a flight is free, they are sent at once, without waiting for the end of the turn.
   */
  readonly eager?: number;
  /** The most statements in flight at once. */
  readonly flights: number;
  /** The most questions that may wait. Any further question gets `Unavailable` at once. */
  readonly queue: number;
}

/**
 * Questions that arrive together share one statement. A question joins only a batch that is not yet sent, never one in
 * flight: the answer of a flight could be older than a revoke that was acknowledged in between.
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

  /** Sends after the I/O of this turn of the event loop, so that the batch has every request read in this turn. */
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
      // the waiting questions have waited as long: all get the fault now, within the second
      for (const one of [...batch, ...this.waiting.splice(0)]) one.reject(error);
    } finally {
      this.flying -= 1;
      if (this.waiting.length > 0) this.schedule();
    }
  }
}
