import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { In, Not, type EntityManager } from 'typeorm';
import { Database, type Transaction } from '../../database/database.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { OwnerEnding } from './owner-ending.entity.js';
import { ALONG_THE_KEY, SWEEP_STEP, type SweptRow } from './owner-ending.sql.js';

const EVERY_MS = 10_000;
/**
 * The shortest pause between two steps. A pause is never shorter than the last step, so the sweeper uses one connection
 * for at most half of the time.
 */
const PAUSE_MS = 20;

/**
 * One row in `owner_endings` ends all grants of a user. The sweeper then writes the end into the rows of the grants and
 * deletes that row. Until then each look-up reads `owner_endings` too, so the time of the sweep does not matter. Any
 * instance continues where another instance stopped.
 */
@Injectable()
export class EndingSweeper implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('grants');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly telemetry: Telemetry,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.wake(), EVERY_MS).unref();
  }

  /** Runs while the pools are still open. Other instances, or this one after its next start, do the rest. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Starts a sweep if none is running, and returns at once. */
  wake(): void {
    if (this.running || this.stopped || !this.database.open) return;
    this.running = this.sweep().finally(() => (this.running = undefined));
  }

  /** Sweeps every ending that no other instance works on. If an ending fails, the next sweep tries it again. */
  private async sweep(): Promise<void> {
    const putOff: string[] = [];
    while (!this.stopped) {
      const began = performance.now();
      let ending: OwnerEnding | null | undefined;
      try {
        const revoked = await this.database.transaction(async (transaction) => {
          ending = await claim(transaction.entities, putOff);
          return ending ? await step(transaction, ending) : 0;
        });
        this.telemetry.revoked('grant', revoked);
        if (!ending) return;
      } catch (error) {
        const why = error instanceof Error ? error.message : '';
        this.logger.warn(`grants that have ended are written down later: ${why}`);
        if (!ending) return;
        putOff.push(ending.id);
      }
      const pause = Math.max(PAUSE_MS, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** Locks the oldest ending that no other instance works on. @param but ids of endings to leave out */
function claim(entities: EntityManager, but: readonly string[]): Promise<OwnerEnding | null> {
  return entities.findOne(OwnerEnding, {
    where: { id: Not(In(but)) },
    order: { endedAt: 'ASC', id: 'ASC' },
    lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
  });
}

/** @returns the number of grants that this step has ended */
async function step({ run, entities }: Transaction, ending: OwnerEnding): Promise<number> {
  const { id, userId, endedAt, reason, actor, ip, requestId, sweptTo } = ending;
  await run(ALONG_THE_KEY);
  const [swept] = await run<SweptRow>(SWEEP_STEP, [
    ...[endedAt, reason, actor, ip, requestId],
    ...[userId, sweptTo, id],
  ]);
  if (swept?.last) await entities.update(OwnerEnding, { id }, { sweptTo: swept.last });
  else await entities.delete(OwnerEnding, { id });
  return swept?.revoked ?? 0;
}
