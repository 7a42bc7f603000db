import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { WireError } from '../../http/errors/wire-error.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { AttemptCounters, type Count, type CounterKey } from './attempt-counters.js';
import { networkOf } from '../../http/network.js';

const DAY = 86_400;
/** Failures of one account in a day, from anywhere, after which only addresses that are known from a success may try. */
const ACCOUNT_MOST = 100;
const KNOWN_FOR = 30 * DAY;

interface Keys {
  readonly pair: CounterKey;
  readonly address: CounterKey;
  readonly account: CounterKey;
  readonly known: CounterKey;
  readonly logins: CounterKey;
}

/** Something that may fail so often in a window. */
export interface Attempts {
  readonly of: string;
  /** @throws WireError too_many_requests; Unavailable */
  admit(): Promise<void>;
  failed(): Promise<void>;
}

/**
 * Who may try a password. Failures count, and right logins of one account, which cost the same work and leave rows; a success clears its own pair of account and address, and no success or failure
 * elsewhere locks anybody out of an address that the account is used from.
 */
@Injectable()
export class LoginThrottle {
  constructor(
    private readonly counters: AttemptCounters,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly telemetry: Telemetry,
  ) {}

  /**
   * The same answer to a right and to a wrong password, because neither is looked at.
   * @param account the folded name, whether or not anybody has it
   * @returns whose turns in the login lane the attempt takes
   * @throws WireError too_many_requests, with `Retry-After`; Unavailable
   */
  async admit(account: string, ip: string): Promise<readonly string[]> {
    const keys = this.keysOf(account, ip);
    const [pair, address, everywhere, known, logins] = await this.counters.read([
      ...[keys.pair, keys.address, keys.account, keys.known, keys.logins],
    ]);
    this.refuseIf(pair, this.config.LOGIN_FAILURES_PER_ACCOUNT);
    this.refuseIf(address, this.config.LOGIN_FAILURES_PER_ADDRESS);
    this.refuseIf(logins, this.config.LOGINS_PER_ACCOUNT);
    const isKnown = known?.endsAt !== 0;
    if (!isKnown) this.refuseIf(everywhere, ACCOUNT_MOST);
    // a stranger can take turns of a name and of an address, and none of those who have logged in under that name from there
    return isKnown ? [`known ${account}`] : [`account ${account}`, `network ${networkOf(ip)}`];
  }

  async failed(account: string, ip: string): Promise<void> {
    this.telemetry.loginRefused('credentials');
    const keys = this.keysOf(account, ip);
    const windowSeconds = this.config.LOGIN_FAILURE_WINDOW;
    await this.counters.count([
      { key: keys.pair, windowSeconds },
      { key: keys.address, windowSeconds },
      { key: keys.account, windowSeconds: DAY },
    ]);
  }

  async succeeded(account: string, ip: string): Promise<void> {
    const keys = this.keysOf(account, ip);
    await this.counters.clear(keys.pair);
    await this.counters.mark({ key: keys.known, windowSeconds: KNOWN_FOR });
    await this.counters.count([{ key: keys.logins, windowSeconds: this.config.LOGIN_FAILURE_WINDOW }]);
  }

  /** New passwords of a user that were estimated and are too weak: whoever has one token could keep the lane busy. */
  choicesOf(userId: string): Attempts {
    const key = this.counters.key('choice', userId);
    const windowSeconds = this.config.LOGIN_FAILURE_WINDOW;
    return {
      of: userId,
      admit: async () => {
        const [count] = await this.counters.read([key]);
        this.refuseIf(count, this.config.LOGIN_FAILURES_PER_ACCOUNT);
      },
      failed: () => this.counters.count([{ key, windowSeconds }]),
    };
  }

  private refuseIf(count: Count | undefined, most: number): void {
    if (!count || count.failures < most) return;
    this.telemetry.loginRefused('throttled');
    throw tooManyRequests(count.endsAt - this.clock.now());
  }

  private keysOf(account: string, ip: string): Keys {
    const network = networkOf(ip);
    return {
      pair: this.counters.key('pair', account, network),
      address: this.counters.key('address', network),
      account: this.counters.key('account', account),
      known: this.counters.key('known', account, network),
      logins: this.counters.key('logins', account),
    };
  }
}

/** @param ms until the next attempt may be made */
export function tooManyRequests(ms: number): WireError {
  return new WireError('too_many_requests', { 'Retry-After': String(Math.max(1, Math.ceil(ms / 1_000))) });
}
