import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { AttemptCounters } from './attempt-counters.js';
import { tooManyRequests } from './login-throttle.js';
import { networkOf } from '../../http/network.js';

/** At most this many networks are remembered as blocked; the others are found again at their next failure. */
const MOST = 10_000;
/** Beyond this many networks, some share a count. That does not affect clients with a right secret. */
export const COUNTED = 65_536;

/**
 * Counts clients that fail to authenticate, per address. Nobody can guess a client's secret, so this limits noise only: it is
 * asked after a secret proved wrong, and never for a right one. No request pays a query for it: an instance learns of a block
 * at the first failure that it sees itself.
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

  /** The oldest goes first, whether its block is over or not, so that a flood of networks cannot keep a new one out. */
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

/** Attempts with wrong secrets cost no work and can come fast, so not every network gets a row. */
export function placeOf(network: string): number {
  return createHash('sha256').update(network).digest().readUInt32BE() % COUNTED;
}
