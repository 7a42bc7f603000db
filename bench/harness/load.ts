import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadPlan, LoadResult } from './load.plan.js';

interface Pending {
  resolve(result: LoadResult): void;
  reject(error: Error): void;
}

/** A load generator in a process of its own. It keeps the requests that it has built for the next run of the same plan. */
export class LoadGenerator {
  private readonly child: ChildProcess = fork(fileURLToPath(new URL('./load.worker.js', import.meta.url)), {
    execArgv: [],
  });
  private running: Pending | undefined;

  constructor() {
    this.child.on('message', (result: LoadResult) => this.running?.resolve(result));
    this.child.on('exit', () => this.running?.reject(new Error('the load generator ended')));
  }

  /** One at a time. @throws Error when an answer had another status than expected, other than 503 */
  async run(plan: LoadPlan): Promise<LoadResult> {
    const result = await new Promise<LoadResult>((resolve, reject) => {
      this.running = { resolve, reject };
      this.child.send(plan);
    });
    if (result.wrong > 0)
      throw new Error(
        `${plan.method} ${plan.path}: ${result.wrong} of ${result.requests} wrong (${result.firstWrong})`,
      );
    return result;
  }

  close(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
