import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { Delivery } from './delivery.js';
import * as sql from './deliveries.sql.js';
import { EventSigner } from './event-signer.js';
import { ReceiverUpkeep } from './receiver-upkeep.js';

const EVERY_MS = 1_000;
const UPKEEP_EVERY_MS = 10_000;
/**
 * After this, another process may send to the receiver. Much longer than one request; each request renews the lease.
 */
const LEASE_MS = 30_000;

const LATE_FIRST_MS = 300_000;
const LATE_MOST_MS = 3_600_000;

/** A receiver and the lease that this process holds on it. */
interface Claim {
  readonly receiver: sql.ClaimedRow;
  readonly lease: string;
}

/**
 * Owns the sending of events to receivers. One process at a time sends to a receiver, one event after the other. It
 * holds a lease in the receiver's row, which expires if the process is gone. An event stays in its table until the
 * receiver has taken or refused it, or until it is given up. So a receiver may get an event twice.
 */
@Injectable()
export class EventSender implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('receivers');
  private readonly runs = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private upkeepTimer: NodeJS.Timeout | undefined;
  private claiming: Promise<void> | undefined;
  private stopped = false;
  private isPutOff = false;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly signer: EventSigner,
    private readonly delivery: Delivery,
    private readonly upkeep: ReceiverUpkeep,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.wake(), EVERY_MS).unref();
    this.upkeepTimer = setInterval(() => void this.lookAfter(), UPKEEP_EVERY_MS).unref();
  }

  /** Runs while the pools are still open. Waits for requests on their way, no longer than one request takes. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    clearInterval(this.upkeepTimer);
    await this.claiming;
    await Promise.all(this.runs);
  }

  /** Starts to claim receivers, and returns at once. */
  wake(): void {
    if (this.claiming || this.stopped || !this.database.open) return;
    this.claiming = this.claim().finally(() => (this.claiming = undefined));
  }

  private async lookAfter(): Promise<void> {
    await this.unlessAway(() => this.upkeep.run());
  }

  /** Claims each receiver that has due events, no lease and no pause. The receivers do not wait for each other. */
  private async claim(): Promise<void> {
    await this.unlessAway(async () => {
      while (!this.stopped) {
        const now = this.clock.now();
        const lease = randomUUID();
        const values = [lease, new Date(now), new Date(now + LEASE_MS)];
        const [receiver] = await this.database.run<sql.ClaimedRow>(sql.CLAIM_RECEIVER, values);
        if (!receiver) return;
        const run = this.unlessAway(() => this.tell({ receiver, lease }));
        this.runs.add(run);
        void run.finally(() => this.runs.delete(run));
      }
    });
  }

  private async tell(claim: Claim): Promise<void> {
    const { receiver, lease } = claim;
    try {
      while (!this.stopped) {
        const now = new Date(this.clock.now());
        const [event] = await this.database.run<sql.EventRow>(sql.NEXT_EVENT, [receiver.id, now]);
        if (!event || !(await this.send(claim, event))) return;
      }
    } finally {
      await this.database.run(sql.END_LEASE, [receiver.id, lease]);
    }
  }

  /** @returns whether to go on with the next event */
  private async send({ receiver, lease }: Claim, event: sql.EventRow): Promise<boolean> {
    const outcome = await this.delivery.send(await this.signer.sign(event, receiver), receiver);
    const now = this.clock.now();
    const values = [receiver.id, event.seq, lease, new Date(now), new Date(now + LEASE_MS)];
    if (outcome.taken) return this.note(sql.DELIVERED, values);
    this.logger.warn(
      `${receiver.name} ${outcome.never ? 'will never take' : 'has not taken'} ${event.event} ${event.id}: ${outcome.why}`,
    );
    if (outcome.never) return this.note(sql.REFUSED, [...values, outcome.why]);
    const late = event.attempts >= sql.ATTEMPTS_IN_ORDER;
    const due = new Date(now + pauseAfter(event.attempts));
    const ours = await this.note(sql.FAILED, [...values, outcome.why, due, late]);
    return ours && late;
  }

  private async note(statement: typeof sql.DELIVERED, values: readonly unknown[]): Promise<boolean> {
    const [row] = await this.database.run<{ ours: boolean | null }>(statement, values);
    return row?.ours === true;
  }

  /** If the database or a signing key is missing, all events stay in their table. The log says so once. */
  private async unlessAway(work: () => Promise<void>): Promise<void> {
    try {
      if (this.database.open) await work();
      this.isPutOff = false;
    } catch (error) {
      if (!this.isPutOff)
        this.logger.warn(`put off: ${error instanceof Error ? error.message : 'unknown fault'}`);
      this.isPutOff = true;
    }
  }
}

/** The pause of an event behind the rest: five minutes, and twice as long after each further failure, up to an hour. */
function pauseAfter(attempts: number): number {
  return Math.min(LATE_MOST_MS, LATE_FIRST_MS * 2 ** Math.max(0, attempts + 1 - sql.ATTEMPTS_IN_ORDER));
}
