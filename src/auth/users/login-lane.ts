import { Inject, Injectable } from '@nestjs/common';
import { availableParallelism } from 'node:os';
import { CONFIG, type Config } from '../../config/config.js';
import { traced } from '../../tracing/tracing.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { FairTurns, type Share } from './fair-turns.js';

const WAITING_MOST_EACH = 64;

/** Whose share of the lane a piece of work takes: names that stand for an account, a network or an administrator. */
export type LaneShare = Share;

interface Place {
  enter(): void;
  refuse(why: string): void;
}

/**
 * bcrypt runs on libuv's four threads, which other work needs too. At most two of them hash passwords; only one does where
 * several processes share the CPUs, or where there are only two. The number of waiting calls is bounded, and the caller with
 * the fewest turns is next. So a flood of logins neither starves the rest, nor keeps other logins out, nor fills the memory.
 */
@Injectable()
export class LoginLane {
  private readonly atOnce: number;
  private readonly turns: FairTurns<Place>;
  private running = 0;

  constructor(@Inject(CONFIG) { WORKERS }: Pick<Config, 'WORKERS'>) {
    this.atOnce = loginsAtOnce(WORKERS);
    this.turns = new FairTurns(this.atOnce * WAITING_MOST_EACH);
  }

  get waiting(): number {
    return this.turns.size;
  }

  /**
   * @throws Unavailable when the lane is full and nobody who waits has had more turns, or when the call ahead found the
   * database away
   */
  async run<T>(share: LaneShare, work: () => Promise<T>): Promise<T> {
    // the wait is part of the span: it is why a login is slow
    return traced('login lane', { 'keks.waiting': this.waiting }, async () => {
      await this.turn(share);
      try {
        return await work();
      } catch (error) {
        if (error instanceof Unavailable) this.fault();
        throw error;
      } finally {
        this.running -= 1;
        this.letIn();
      }
    });
  }

  /** Somebody who was new has proved who they are: their last turn now counts for their known names, too. */
  wasOf(share: LaneShare): void {
    this.turns.wasOf(share.of);
  }

  private turn(share: LaneShare): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (why: string): void => reject(new Unavailable(why));
      const dropped = this.turns.add(share, { enter: resolve, refuse });
      dropped?.refuse('too many logins are waiting');
      this.letIn();
    });
  }

  private letIn(): void {
    while (this.running < this.atOnce) {
      const next = this.turns.next();
      if (!next) return;
      this.running += 1;
      next.enter();
    }
  }

  /** Otherwise each of them would wait for the same time-out, one after the other, and the last one for a minute. */
  private fault(): void {
    for (const one of this.turns.clear()) one.refuse('the database was away for those ahead');
  }
}

/** At least one CPU is left for everything else. */
export function loginsAtOnce(workers: number): number {
  return workers > 1 || availableParallelism() <= 2 ? 1 : 2;
}
