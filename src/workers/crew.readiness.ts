import type { DrainState } from '../http/drain.js';
import { Unavailable } from '../http/unavailable.js';
import type { Readiness } from '../ops/readiness.js';
import type { Member } from './member.js';

/** Milliseconds. */
const PATIENCE_MS = 1_000;

/** Of all workers: as long as one of them can answer requests, the port can, because those that cannot get none. */
export class CrewReadiness implements Readiness {
  constructor(
    private readonly members: () => Iterable<Member>,
    private readonly drain: DrainState,
  ) {}

  async check(): Promise<void> {
    if (this.drain.draining) throw new Unavailable('shutting down');
    const serving = [...this.members()].filter((member) => member.serving);
    const answers = serving.map(({ line }) => line.ask('checkReadiness', null, PATIENCE_MS));
    await Promise.any(answers).catch(() => {
      throw new Unavailable('no worker is ready');
    });
  }
}
