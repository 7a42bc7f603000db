import { randomBytes } from 'node:crypto';
import { LeaseClock, type Stamp } from './lease-clock.js';
import { readFeed, RevocationSet, type Names } from './revocation-set.js';

/** Asks one endpoint with a form, as a client of the authority. @throws NoVerdict */
export type Ask = (form: Record<string, string>, deadline: number) => Promise<string>;

export interface FollowerOptions {
  readonly ask: Ask;
  /** Milliseconds for an answer, in addition to the third of a lease for which the authority may hold the answer back. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch, by the clock that judges the expiry of tokens. */
  readonly now: () => number;
  readonly clock?: LeaseClock;
}

const PAUSE_MS = [20, 100, 250, 500];
/** So many failures, one after the other, are more than a restart of the authority: they are told, once. */
const FAILURES_UNTOLD = 3;

/**
 * Follows the feed of revocations, and knows until when it knows all of them: a lease, which runs from before the question was
 * sent. While it lasts, every revoke that the authority has called done is in the set; without a lease the set proves nothing
 * about other tokens.
 */
export class RevocationFollower {
  private readonly guard = randomBytes(16).toString('base64url');
  private readonly clock: LeaseClock;
  private set = new RevocationSet();
  /** The set that is being fetched. It counts when all of it is here. */
  private coming: RevocationSet | undefined;
  private cursor: string | undefined;
  private lease: { readonly ms: number; readonly from: Stamp } | undefined;
  private lastFault: string | undefined;
  private running = false;
  private stopped = false;
  private first: Promise<void> | undefined;

  constructor(private readonly options: FollowerOptions) {
    this.clock = options.clock ?? new LeaseClock();
  }

  /**
   * Starts with the first token.
   * @returns when the first lease is there, when the first attempt has failed, or when the time for an answer is over
   */
  start(): Promise<void> {
    this.first ??= new Promise((resolve) => {
      setTimeout(resolve, this.options.timeoutMs).unref();
      void this.follow(resolve);
    });
    return this.first;
  }

  /** @returns the form to send to the authority, if the authority may still wait for this guard */
  stop(): Record<string, string> | undefined {
    const held = this.leaseLeft > 0;
    this.stopped = true;
    this.lease = undefined;
    return held ? { guard: this.guard, leave: 'true' } : undefined;
  }

  /** Milliseconds; 0 without a lease. */
  get leaseLeft(): number {
    return this.lease ? Math.max(0, this.clock.left(this.lease.ms, this.lease.from)) : 0;
  }

  /** Why the last question has failed; undefined if it has not. */
  get fault(): string | undefined {
    return this.lastFault;
  }

  get size(): number {
    return this.set.size;
  }

  /** How many entries have come, and into which set: remember it before you ask the authority about a token. */
  get position(): { readonly of: object; readonly at: number } {
    return { of: this.set, at: this.set.now };
  }

  /**
   * Whether the token may be accepted now. Nothing may happen between this verdict and the acceptance.
   * @param cleared the position of the set before the authority was asked and said that the token is active
   */
  judge(
    names: Names,
    cleared?: { readonly of: object; readonly at: number },
  ): 'dead' | 'unknown' | 'not named' {
    const verdict = this.set.judge(names, cleared?.of === this.set ? cleared.at : -1);
    // a dead token stays dead, with a lease or without
    return verdict === 'dead' || this.leaseLeft > 0 ? verdict : 'unknown';
  }

  private async follow(started: () => void): Promise<void> {
    if (this.running) return;
    this.running = true;
    for (let failures = 0; !this.stopped;) {
      try {
        await this.step();
        failures = 0;
        this.lastFault = undefined;
        if (this.lease) started();
      } catch (fault) {
        this.lastFault = fault instanceof Error ? fault.message : 'unknown fault';
        started();
        if (failures === FAILURES_UNTOLD) this.tell(this.lastFault);
        const pause = PAUSE_MS[Math.min(failures, PAUSE_MS.length - 1)] ?? 0;
        failures += 1;
        // the authority may refuse this cursor, for whatever reason: do not ask with it for ever
        if (failures > PAUSE_MS.length) this.cursor = undefined;
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
    }
    started();
  }

  private tell(why: string): void {
    if (this.stopped) return;
    const message = `no lease, so the authority is asked about every token: ${why}`;
    process.emitWarning(message, { type: 'KeksGuardWarning', code: 'KEKS_NO_LEASE' });
  }

  private async step(): Promise<void> {
    const from = this.clock.stamp();
    const form = { guard: this.guard, ...(this.cursor === undefined ? {} : { cursor: this.cursor }) };
    const body = await this.options.ask(
      form,
      performance.now() + this.options.timeoutMs + (this.lease?.ms ?? 0) / 3,
    );
    const { cursor, reset, more, lease, entries } = readFeed(body);
    if (reset || this.cursor === undefined) {
      this.coming = new RevocationSet();
      // the next question tells the authority what is in this set, and then no revoke waits for this guard any more. Until the
      // new set counts, a token that the old set accepts could have been taken back
      this.lease = undefined;
    }
    const into = this.coming ?? this.set;
    for (const entry of entries) into.add(entry);
    into.forget(this.options.now() / 1_000);
    this.cursor = cursor;
    if (more || lease === 0 || this.stopped) return;
    this.set = into;
    this.coming = undefined;
    this.lease = { ms: lease, from };
  }
}
