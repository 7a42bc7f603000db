import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { AttemptCounters } from './attempt-counters.js';
import { tooManyRequests } from './login-throttle.js';
import { networkOf } from '../../http/network.js';

/** Networks that are remembered as blocked; beyond it they are found out again at their next failure. */
const MOST = 10_000;
/** Whoever has more networks than this shares their counts, which costs nobody who has a right secret anything. */
export const COUNTED = 65_536;

/**
 * Clients that fail to authenticate count per address. A client's secret cannot be guessed, so this is about noise: it is
 * asked once a secret has turned out to be none, and never of a right one. No request pays a query for it: an instance
 * knows of a block from the first failure that it sees itself.
 */
@Injectable()
export class ClientThrottle {
  private readonly blockedUntil = new Map<string, number>();

  constructor(
    private readonly counters: AttemptCounters,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws WireError too_many_requests, with `Retry-After` */
  admit(ip: string): void {
    if (this.blockedUntil.size === 0) return;
    const network = networkOf(ip);
    const until = this.blockedUntil.get(network);
    if (until === undefined) return;
    const left = until - this.clock.now();
    if (left > 0) throw tooManyRequests(left);
    this.blockedUntil.delete(network);
  }

  /** @throws Unavailable */
  async failed(ip: string): Promise<void> {
    const network = networkOf(ip);
    const key = this.counters.key('client', String(placeOf(network)));
    await this.counters.count([{ key, windowSeconds: this.config.LOGIN_FAILURE_WINDOW }]);
    const [count] = await this.counters.read([key]);
    if (!count || count.failures < this.config.LOGIN_FAILURES_PER_ADDRESS) return;
    this.letGo();
    this.blockedUntil.set(network, count.endsAt);
  }

  /** For the test of its bound. */
  get remembered(): number {
    return this.blockedUntil.size;
  }

  /** Whoever came first goes first, over or not: no flood of networks keeps a new one out. */
  private letGo(): void {
    if (this.blockedUntil.size < MOST) return;
    const now = this.clock.now();
    for (const [network, until] of this.blockedUntil) if (until <= now) this.blockedUntil.delete(network);
    for (const network of this.blockedUntil.keys()) {
      if (this.blockedUntil.size < MOST) return;
      this.blockedUntil.delete(network);
    }
  }
}

/** No work limits how fast an attempt without a right secret can be made, so not each network has a row. */
export function placeOf(network: string): number {
  return createHash('sha256').update(network).digest().readUInt32BE() % COUNTED;
}
