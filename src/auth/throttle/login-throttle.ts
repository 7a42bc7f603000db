import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { WireError } from '../../http/errors/wire-error.js';
import { networkOf } from '../../http/network.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { AttemptCounters, type Count, type Counted } from './attempt-counters.js';
import type { Queries } from '../../database/statement.js';
import { DeviceProofs } from './device-proofs.js';
import { keysOf, ROWS, type AttemptKeys, type LoginAttempt, type ReadAttempt } from './login-attempt.js';

const DAY = 86_400;
const KNOWN_FOR = 30 * DAY;
/** At most this many new addresses of an account are remembered in a day, so that no account fills the table. */
const NEW_ADDRESSES_MOST = 50;
/** Lasts until a right login; no waiting ends it. */
const UNTIL_A_LOGIN = 3_650 * DAY;
const TRY_AGAIN_MS = 3_600_000;

/** What nobody may go beyond: of an account from one network or device, of a network, and of an account in a row. */
export type LoginLimit = 'account' | 'address' | 'in_a_row';

type Tell = (queries: Queries, reached: readonly LoginLimit[]) => Promise<void>;

/** An attempt that may be made. */
export interface Admitted {
  /** Whose turns in the login lane it takes. */
  readonly share: { readonly of: readonly string[]; readonly isNew?: boolean };
  /** The same once it has succeeded. */
  readonly known: { readonly of: readonly string[] };
  /** @param tell writes it down in the same transaction, and what it has led to @throws Unavailable */
  failed(tell: Tell): Promise<void>;
  /** @throws Unavailable */
  succeeded(): Promise<void>;
}

interface Failure {
  readonly attempt: ReadAttempt;
  readonly keys: AttemptKeys;
  readonly row: (typeof ROWS)[number];
}

/** Something that may happen so often in a window. */
export interface Attempts {
  readonly of: string;
  /** @throws WireError too_many_requests; Unavailable */
  admit(): Promise<void>;
  note(): Promise<void>;
}

/**
 * Decides who may try a password. It counts failures, and also right logins of one account, which cost the same work and
 * leave rows. Failures of strangers lock out nobody who comes with a device proof, or from an address that the account uses.
 */
@Injectable()
export class LoginThrottle {
  constructor(
    private readonly counters: AttemptCounters,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly telemetry: Telemetry,
    private readonly devices: DeviceProofs,
  ) {}

  /**
   * The answer is the same for a right and a wrong password, because neither is checked.
   * @throws WireError too_many_requests, with `Retry-After`; Unavailable
   */
  async admit(made: LoginAttempt): Promise<Admitted> {
    const attempt = { ...made, device: this.devices.read(made.account, made.proof) };
    const keys = keysOf(this.counters, attempt);
    const { own, address, known, addresses, logins, rows } = keys;
    const read = await this.counters.read([
      own,
      address,
      known,
      addresses,
      logins,
      ...ROWS.map((row) => rows[row]),
    ]);
    const [ofOwn, ofAddress, ofKnown, ofAddresses, ofLogins, ...ofRows] = read;
    this.refuseIf(ofOwn, this.config.LOGIN_FAILURES_PER_ACCOUNT);
    if (attempt.device === undefined) this.refuseIf(ofAddress, this.config.LOGIN_FAILURES_PER_ADDRESS);
    this.refuseIf(ofLogins, this.config.LOGINS_PER_ACCOUNT);
    const isKnown = ofKnown?.endsAt !== 0;
    const row = this.rowOf(attempt, isKnown, ofRows);
    const familiar = isKnown || attempt.device !== undefined;
    const remembers = isKnown || (ofAddresses?.failures ?? 0) < NEW_ADDRESSES_MOST;
    return {
      ...sharesOf(attempt, familiar),
      failed: (tell) => this.failed({ attempt, keys, row }, tell),
      succeeded: () => this.succeeded(keys, { isKnown, remembers }),
    };
  }

  /** For an operator: lets a locked out account try again. @param account the folded name */
  async forgive(account: string): Promise<void> {
    await this.counters.clear(ROWS.flatMap((row) => this.counters.key('row', row, account)));
  }

  /**
   * Counts new passwords of a user that an estimate found too weak: otherwise somebody with one token could keep the lane
   * busy.
   */
  choicesOf(userId: string): Attempts {
    return this.attempts('choice', userId, this.config.LOGIN_FAILURES_PER_ACCOUNT);
  }

  /**
   * Counts consents, because each makes rows like a login, and a browser that is let in again without a question needs no
   * work.
   */
  consentsOf(userId: string): Attempts {
    return this.attempts('consent', userId, this.config.LOGINS_PER_ACCOUNT);
  }

  /** Counts wrong codes of reset links. Nobody can guess one; this limits noise and work. */
  resetCodesFrom(ip: string): Attempts {
    return this.attempts('reset', networkOf(ip), this.config.LOGIN_FAILURES_PER_ADDRESS);
  }

  private attempts(kind: string, of: string, most: number): Attempts {
    const key = this.counters.key(kind, of);
    const windowSeconds = this.config.LOGIN_FAILURE_WINDOW;
    return {
      of,
      admit: async () => {
        const [count] = await this.counters.read([key]);
        this.refuseIf(count, most);
      },
      note: async () => void (await this.counters.count([{ key, windowSeconds }])),
    };
  }

  /**
   * Failures of one account in a row (NIST SP 800-63B §3.2.2: 100 at most). Each kind of caller has its own part. A caller
   * who has used up a more trusted part counts as a stranger.
   */
  private rowOf(attempt: ReadAttempt, isKnown: boolean, counts: readonly Count[]): (typeof ROWS)[number] {
    const may = { device: attempt.device !== undefined, known: isKnown, stranger: true };
    const free = ROWS.find((row, at) => may[row] && (counts[at]?.failures ?? 0) < this.partOf(row));
    if (free !== undefined) return free;
    this.telemetry.loginRefused('throttled');
    throw tooManyRequests(TRY_AGAIN_MS, true);
  }

  /** A tenth of all is kept in reserve: other instances have attempts under way that are not counted yet. */
  private partOf(row: (typeof ROWS)[number]): number {
    const tenths = { device: 1, known: 2, stranger: 6 }[row];
    return Math.max(1, Math.floor((this.config.LOGIN_FAILURES_IN_A_ROW * tenths) / 10));
  }

  /** Whoever makes a count reach its limit is the last who may try, so it is told once. */
  private async failed({ attempt, keys, row }: Failure, tell: Tell): Promise<void> {
    this.telemetry.loginRefused('credentials');
    const { LOGIN_FAILURES_PER_ACCOUNT, LOGIN_FAILURES_PER_ADDRESS } = this.config;
    const windowSeconds = this.config.LOGIN_FAILURE_WINDOW;
    const watched: (Counted & { readonly limit: LoginLimit; readonly most: number })[] = [
      { key: keys.own, windowSeconds, limit: 'account', most: LOGIN_FAILURES_PER_ACCOUNT },
      { key: keys.rows[row], windowSeconds: UNTIL_A_LOGIN, limit: 'in_a_row', most: this.partOf(row) },
    ];
    if (attempt.device === undefined)
      watched.push({ key: keys.address, windowSeconds, limit: 'address', most: LOGIN_FAILURES_PER_ADDRESS });
    await this.counters.countAnd(watched, (queries, counts) => {
      const reached = watched.filter(({ most }, at) => counts[at] === most).map(({ limit }) => limit);
      return tell(queries, reached);
    });
  }

  private async succeeded(
    keys: AttemptKeys,
    { isKnown, remembers }: { isKnown: boolean; remembers: boolean },
  ): Promise<void> {
    await this.counters.clear([keys.own, ...ROWS.map((row) => keys.rows[row])].flat());
    const logins: Counted[] = [{ key: keys.logins, windowSeconds: this.config.LOGIN_FAILURE_WINDOW }];
    if (!isKnown && remembers) logins.push({ key: keys.addresses, windowSeconds: DAY });
    await this.counters.count(logins);
    if (remembers) await this.counters.mark({ key: keys.known, windowSeconds: KNOWN_FOR });
  }

  private refuseIf(count: Count | undefined, most: number): void {
    if (!count || count.failures < most) return;
    this.telemetry.loginRefused('throttled');
    throw tooManyRequests(count.endsAt - this.clock.now());
  }
}

/**
 * A stranger uses up turns of the name and of the address, but none of the turns of those who have logged in under that name
 * before.
 */
function sharesOf({ account, ip }: ReadAttempt, familiar: boolean): Pick<Admitted, 'share' | 'known'> {
  const known = { of: [`known ${account}`] };
  const stranger = { of: [`account ${account}`, `network ${networkOf(ip)}`], isNew: true };
  return { share: familiar ? known : stranger, known };
}

/** @param ms how long until the next attempt @param inARow whether waiting alone does not help */
export function tooManyRequests(ms: number, inARow = false): WireError {
  const headers = { 'Retry-After': String(Math.max(1, Math.ceil(ms / 1_000))) };
  return new WireError('too_many_requests', headers, inARow ? { reason: 'too_many_in_a_row' } : {});
}
