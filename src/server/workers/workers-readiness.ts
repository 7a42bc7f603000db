import { patienceOf } from '../../database/pools.js';
import type { DrainState } from '../../http/drain.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import type { Readiness } from '../../ops/readiness.js';
import type { Member } from './member.js';

/** How long to wait in addition to the time limits for the database: milliseconds. */
const LINE_MS = 100;

/**
 * The readiness of all workers together. If one worker can answer requests, the port can, because workers that are not
 * ready get none.
 */
export class WorkersReadiness implements Readiness {
  constructor(
    private readonly members: () => Iterable<Member>,
    private readonly drain: DrainState,
    private readonly databaseTimeoutMs: number,
  ) {}

  async check(): Promise<void> {
    if (this.drain.draining) throw new Unavailable('shutting down');
    const serving = [...this.members()].filter((member) => member.serving);
    const patienceMs = patienceOf(this.databaseTimeoutMs).worstMs + LINE_MS;
    const answers = serving.map(({ rpc }) => rpc.ask('checkReadiness', null, patienceMs));
    await Promise.any(answers).catch(() => {
      throw new Unavailable('no worker is ready');
    });
  }
}
