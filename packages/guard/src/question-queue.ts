import { NoVerdict } from './no-verdict.js';

interface Asker<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (fault: unknown) => void;
}

interface Question<T> {
  readonly askers: Asker<T>[];
  readonly deadline: number;
  /** Of who asked first. */
  readonly traceparent: string | undefined;
}

export interface QueueLimits {
  /** Sent at once. */
  readonly connections: number;
  /** Waiting for their turn. */
  readonly waiting: number;
  /** Milliseconds, the wait included. */
  readonly timeoutMs: number;
}

/**
 * Lets so many questions go at once, the others in their order. Who asks about a token that still waits shares its
 * question; one that has been sent is never joined, because its answer could be older than a revoke that has been
 * acknowledged since. No question waits beyond its time: those before it end by theirs, which is earlier.
 */
export class QuestionQueue<T> {
  private readonly waiting = new Map<string, Question<T>>();
  private sent = 0;

  /** @param send keeps the deadline, a `performance.now()` */
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
