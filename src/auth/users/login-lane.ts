import { Inject, Injectable } from '@nestjs/common';
import { availableParallelism } from 'node:os';
import pLimit, { type LimitFunction } from 'p-limit';
import { CONFIG, type Config } from '../../config/config.js';
import { traced } from '../../tracing/tracing.js';
import { Unavailable } from '../../http/errors/unavailable.js';

const WAITING_MOST_EACH = 64;

/**
 * bcrypt runs on libuv's four threads, which other work needs too: two of them at most are for passwords, and one where
 * several processes share the CPUs or there are no more than two. Those who wait are counted, so that a flood of logins neither starves the
 * rest nor fills the memory.
 */
@Injectable()
export class LoginLane {
  private readonly limit: LimitFunction;
  private readonly waitingMost: number;
  private faults = 0;

  constructor(@Inject(CONFIG) { WORKERS }: Pick<Config, 'WORKERS'>) {
    const atOnce = loginsAtOnce(WORKERS);
    this.limit = pLimit(atOnce);
    this.waitingMost = atOnce * WAITING_MOST_EACH;
  }

  get waiting(): number {
    return this.limit.pendingCount;
  }

  /** @throws Unavailable at once when the lane is full, or when whoever was ahead has found the database away */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.limit.pendingCount >= this.waitingMost) throw new Unavailable('too many logins are waiting');
    // the wait is part of it: that is where a slow login has its time from
    return traced('login lane', { 'keks.waiting': this.limit.pendingCount }, () => this.queue(work));
  }

  private queue<T>(work: () => Promise<T>): Promise<T> {
    const before = this.faults;
    return this.limit(async () => {
      // each would wait for the same time-out, one after the other, and the last for a minute
      if (this.faults !== before) throw new Unavailable('the database was away for those ahead');
      return work().catch((error: unknown) => {
        if (error instanceof Unavailable) this.faults += 1;
        throw error;
      });
    });
  }
}

/** One CPU at least is for everything else. */
export function loginsAtOnce(workers: number): number {
  return workers > 1 || availableParallelism() <= 2 ? 1 : 2;
}
