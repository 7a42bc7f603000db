import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { networkOf } from '../../http/network.js';
import { AttemptCounters } from './attempt-counters.js';
import { tooManyRequests } from './login-throttle.js';

const HOUR = 3_600;

/** A registration leaves a row behind, so each attempt counts, not only a failed one. */
@Injectable()
export class RegistrationThrottle {
  constructor(
    private readonly counters: AttemptCounters,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Counts first and checks afterwards, so that of many at once none slips through.
   * @throws WireError too_many_requests; Unavailable
   */
  async admit(ip: string | null): Promise<void> {
    const key = this.counters.key('registration', networkOf(ip ?? ''));
    await this.counters.count([{ key, windowSeconds: HOUR }]);
    const [count] = await this.counters.read([key]);
    if (count && count.failures > this.config.REGISTRATIONS_PER_ADDRESS)
      throw tooManyRequests(count.endsAt - this.clock.now());
  }
}
