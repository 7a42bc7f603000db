import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { networkOf } from '../../http/network.js';
import { AttemptCounters, type Count } from './attempt-counters.js';
import { tooManyRequests } from './login-throttle.js';

const WINDOW_SECONDS = 900;

/**
 * Who may try a code that a device shows (RFC 8628 §5.1). There are 20^9 of them, 2^38.9, and one is good for ten minutes. With
 * 20 tries in 15 minutes somebody who is signed in meets a certain one with 2^-34.5, less than the 2^-32 that the RFC wants; all
 * people together, who have 1,000 tries, meet it with 2^-28.9. Of 10,000 that may be waiting at once, which is the most, an
 * account meets any with 2^-21, and gives by that no more than a stranger's device a token in its own name.
 */
const MOST = { account: 20, network: 100, all: 1_000 } as const;

/** Owns how often codes of devices may be tried, right ones too: who has a right one could otherwise go on for ever. */
@Injectable()
export class UserCodeThrottle {
  constructor(
    private readonly counters: AttemptCounters,
    private readonly clock: Clock,
  ) {}

  /**
   * Counted before the code is looked at, so that many at once are no more than one after the other.
   * @throws WireError too_many_requests, with `Retry-After`; Unavailable
   */
  async admit(userId: string, ip: string | null): Promise<void> {
    await this.take(['account', userId], MOST.account);
    await this.take(['network', networkOf(ip ?? '')], MOST.network);
    await this.take(['all'], MOST.all);
  }

  /** What is refused here counts nowhere else: no account uses up what all have. */
  private async take(what: string[], most: number): Promise<void> {
    const key = this.counters.key('user-code', ...what);
    const [before] = await this.counters.read([key]);
    this.refuseIf(before, most);
    await this.counters.count([{ key, windowSeconds: WINDOW_SECONDS }]);
    const [after] = await this.counters.read([key]);
    this.refuseIf(after, most + 1);
  }

  private refuseIf(count: Count | undefined, most: number): void {
    if (count && count.failures >= most) throw tooManyRequests(count.endsAt - this.clock.now());
  }
}
