import { NoVerdict } from './no-verdict.js';

interface Asker<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (fault: unknown) => void;
}

interface Question<T> {
  readonly askers: Asker<T>[];
  readonly deadline: number;
  /** The trace of the first asker. */
  readonly traceparent: string | undefined;
}

export interface QueueLimits {
  /** How many questions are sent at the same time. */
  readonly connections: number;
  /** How many questions may wait for their turn. */
  readonly waiting: number;
  /** Milliseconds, the wait included. */
  readonly timeoutMs: number;
}

/**
 * Sends a limited number of questions at the same time; the others wait in their order. Who asks about a token whose question
 * still waits shares that question. A question that has been sent is never shared: its answer could be older than a revoke that
 * was acknowledged after it was sent. No question waits beyond its deadline: all questions before it have earlier deadlines.
 */
export class QuestionQueue<T> {
  private readonly waiting = new Map<string, Question<T>>();
  private sent = 0;

  /** @param send must keep the deadline, a time of `performance.now()` */
  constructor(
    private readonly send: (token: string, deadline: number, traceparent?: string) => Promise<T>,
    private readonly limits: QueueLimits,
  ) {}

  /** @throws NoVerdict overloaded, and whatever `send` throws */
  ask(token: string, traceparent?: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const unsent = this.waiting.get(token);
      if (unsent) unsent.askers.push({ resolve, reject });
      else if (this.waiting.size >= this.limits.waiting) reject(overloaded());
      else {
        const deadline = performance.now() + this.limits.timeoutMs;
        this.waiting.set(token, { askers: [{ resolve, reject }], deadline, traceparent });
        this.sendNext();
      }
    });
  }

  private sendNext(): void {
    for (const [token, question] of this.waiting) {
      if (this.sent >= this.limits.connections) return;
      this.waiting.delete(token);
      this.sent += 1;
      void this.settle(token, question);
    }
  }

  private async settle(token: string, { askers, deadline, traceparent }: Question<T>): Promise<void> {
    try {
      const answer = await this.send(token, deadline, traceparent);
      for (const { resolve } of askers) resolve(answer);
    } catch (fault) {
      for (const { reject } of askers) reject(fault);
    }
    this.sent -= 1;
    this.sendNext();
  }
}

function overloaded(): NoVerdict {
  return new NoVerdict('overloaded', 'Too many questions wait for the introspection endpoint.');
}
