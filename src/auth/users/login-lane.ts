import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { Unavailable } from '../../http/unavailable.js';

const AT_ONCE = 2;
const WAITING_MOST = 128;

/**
 * bcrypt runs on libuv's four threads, which other work needs too: two of them at most are for passwords, and those
 * who wait are counted, so that a flood of logins neither starves the rest nor fills the memory.
 */
@Injectable()
export class LoginLane {
  private readonly limit = pLimit(AT_ONCE);

  get waiting(): number {
    return this.limit.pendingCount;
  }

  /** @throws Unavailable at once when the lane is full */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.limit.pendingCount >= WAITING_MOST) throw new Unavailable('too many logins are waiting');
    return this.limit(work);
  }
}
