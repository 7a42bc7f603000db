import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { Unavailable } from '../../http/errors/unavailable.js';

/**
 * Only this many characters are estimated, because the time grows with their square. A longer password is not weaker than its
 * beginning.
 */
const LOOKED_AT = 64;

/**
 * Plain JavaScript as text: a thread starts from a file or from text, and no thread could load the TypeScript that our tests
 * run.
 */
const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads');
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = workerData.map((file) => require(file));
  const estimate = new ZxcvbnFactory({ graphs: adjacencyGraphs, dictionary });
  parentPort.on('message', ({ id, password, words }) => {
    parentPort.postMessage({ id, score: estimate.check(password, words).score });
  });
  parentPort.postMessage({ id: 0, score: 0 });`;

interface Estimated {
  readonly id: number;
  readonly score: number;
}

interface Asked {
  readonly resolve: (score: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Estimates how many guesses a password takes. It runs on a thread that is kept, because the dictionaries take seconds to
 * load, and because a hostile password takes longer than any request may wait. Work for the login lane, which sends one at a
 * time.
 */
class PasswordStrength {
  private worker: Worker | undefined;
  private readonly asked = new Map<number, Asked>();
  private latest = 0;
  private loading: Promise<unknown> | undefined;

  /** Resolves when the dictionaries are loaded. The first call starts the thread. @throws Unavailable */
  ready(): Promise<unknown> {
    return (this.loading ??= this.load());
  }

  /** @returns zxcvbn's score, 0 to 4. @throws Unavailable */
  async score(password: string, words: readonly string[]): Promise<number> {
    await this.ready();
    if (!this.worker) throw new Unavailable('the estimate of passwords has ended');
    const id = (this.latest += 1);
    const answer = this.answer(id);
    const start = [...password].slice(0, LOOKED_AT).join('');
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, and no window
    this.worker.postMessage({ id, password: start, words });
    return answer;
  }

  private load(): Promise<unknown> {
    const { resolve } = createRequire(import.meta.url);
    const workerData = ['@zxcvbn-ts/core', '@zxcvbn-ts/language-common'].map((name) => resolve(name));
    const worker = new Worker(PROGRAM, { eval: true, workerData });
    this.worker = worker;
    worker.on('message', ({ id, score }: Estimated) => this.settle(id)?.resolve(score));
    const ended = (): void => this.ended(worker);
    worker.on('error', ended).on('exit', ended);
    return this.answer(0);
  }

  /** The answer keeps the process alive; the idle thread does not. */
  private answer(id: number): Promise<number> {
    this.worker?.ref();
    return new Promise((resolve, reject) => this.asked.set(id, { resolve, reject }));
  }

  private settle(id: number): Asked | undefined {
    const one = this.asked.get(id);
    this.asked.delete(id);
    if (this.asked.size === 0) this.worker?.unref();
    return one;
  }

  /** The next call starts another thread. */
  private ended(worker: Worker): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    this.loading = undefined;
    for (const id of [...this.asked.keys()])
      this.settle(id)?.reject(new Unavailable('the estimate of a password has ended'));
  }
}

/** One for each process, because each one keeps the dictionaries in memory. */
export const PASSWORD_STRENGTH = new PasswordStrength();
