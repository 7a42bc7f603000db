/** What one end can be asked to do. Arguments and answers are JSON values. */
export type Duties = Record<string, (argument: never) => unknown>;

/** The other end could not do it. The message is the text of the other end. */
export class RpcError extends Error {}

/** The part that `process` of a worker and `Worker` of the primary have in common. */
interface Channel {
  send?(message: object, then?: (error: Error | null) => void): boolean;
  on(event: 'message', listen: (message: unknown) => void): unknown;
}

type Message =
  | { readonly ask: number; readonly duty: string; readonly argument?: unknown }
  | { readonly answer: number; readonly value?: unknown; readonly error?: string };

interface Question {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Sends questions and answers over the channel between the primary and a worker, in both directions. */
export class Rpc<Theirs extends Duties> {
  private readonly questions = new Map<number, Question>();
  private asked = 0;
  private over = false;

  /** @param explain turns an error into the text for the other end */
  constructor(
    private readonly channel: Channel,
    duties: Duties,
    private readonly explain: (error: unknown) => string,
  ) {
    channel.on('message', (message) => {
      if (isMessage(message)) this.take(message, duties);
    });
  }

  /** @throws RpcError if the other end fails or is gone, or if there is no answer within `patienceMs` milliseconds */
  ask<K extends keyof Theirs & string>(
    duty: K,
    argument: Parameters<Theirs[K]>[0],
    patienceMs?: number,
  ): Promise<Awaited<ReturnType<Theirs[K]>>> {
    return new Promise((resolve, reject) => {
      if (this.over) return reject(new RpcError('gone'));
      const id = (this.asked += 1);
      const timer = setTimeout(() => this.settle(id, 'no answer'), patienceMs ?? 2 ** 31 - 1).unref();
      this.questions.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value as Awaited<ReturnType<Theirs[K]>>);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.send({ ask: id, duty, argument });
    });
  }

  /** Call this when the other end is gone: all open questions fail. */
  close(): void {
    this.over = true;
    for (const id of this.questions.keys()) this.settle(id, 'gone');
  }

  private settle(id: number, error: string | undefined, value?: unknown): void {
    const question = this.questions.get(id);
    this.questions.delete(id);
    if (error === undefined) question?.resolve(value);
    else question?.reject(new RpcError(error));
  }

  private take(message: Message, duties: Duties): void {
    if ('answer' in message) this.settle(message.answer, message.error, message.value);
    else void this.serve(message.ask, duties[message.duty], message.argument);
  }

  private async serve(answer: number, duty: Duties[string] | undefined, argument: unknown): Promise<void> {
    try {
      this.send({ answer, value: await duty?.(argument as never) });
    } catch (error) {
      this.send({ answer, error: this.explain(error) });
    }
  }

  /** Ignores a channel that has just closed: other code notices the end of a process. */
  private send(message: Message): void {
    if (!this.over) this.channel.send?.(message, () => undefined);
  }
}

function isMessage(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && ('ask' in message || 'answer' in message);
}
