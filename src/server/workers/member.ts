import cluster, { type Worker } from 'node:cluster';
import type { Snapshot } from '../../ops/metrics-text.js';
import { explained } from '../explained.js';
import type { PrimaryDuties, WorkerDuties } from './duties.js';
import { Rpc } from './rpc.js';

/** One worker, from its fork to its end, as the primary sees it. */
export class Member {
  readonly rpc: Rpc<WorkerDuties>;
  /** Resolves with the exit code or the signal. */
  readonly gone: Promise<number | string>;
  /** Resolves when the worker listens to messages of the primary. */
  readonly present: Promise<void>;
  ended = false;
  /** True while the worker serves the port. */
  serving = false;
  /** The numbers of the worker at the last answer. */
  lastMetrics: Snapshot = [];
  private readonly worker: Worker;

  constructor(duties: Omit<PrimaryDuties, 'present'>) {
    this.worker = cluster.fork();
    closeUntaken(this.worker);
    let arrive = (): void => undefined;
    this.present = new Promise((resolve) => (arrive = resolve));
    const all: PrimaryDuties = { ...duties, present: () => arrive() };
    this.rpc = new Rpc<WorkerDuties>(this.worker, all, explained);
    this.gone = new Promise((resolve) => {
      const end = (how: number | string): void => {
        this.ended = true;
        this.serving = false;
        this.rpc.close();
        resolve(how);
      };
      this.worker.once('exit', (code, signal) => end(signal ?? code));
      // this event also reports a message that failed because the worker is about to exit
      this.worker.on('error', (error) => {
        if (this.worker.process.pid === undefined) end(error.message);
      });
    });
  }

  kill(): void {
    this.worker.process.kill('SIGKILL');
  }
}

/**
 * Closes a connection that a dead worker did not take. Node sends a connection to a worker, and closes its own copy
 * when the worker has taken the connection. If the worker dies before that, the copy would stay open in the primary for
 * ever, unanswered. There is at most one such connection.
 */
function closeUntaken({ process: child }: Worker): void {
  const send = child.send.bind(child) as (...all: unknown[]) => boolean;
  let sent: { close?(): void } | undefined;
  child.send = (message: object, ...rest: unknown[]): boolean => {
    if ('act' in message && message.act === 'newconn') sent = rest[0] as typeof sent;
    return send(message, ...rest);
  };
  // a second close does nothing
  child.once('exit', () => sent?.close?.());
}
