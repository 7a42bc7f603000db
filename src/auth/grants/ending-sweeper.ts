import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { In, Not, type EntityManager } from 'typeorm';
import { Database, type Transaction } from '../../database/database.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { OwnerEnding } from './owner-ending.entity.js';
import { ALONG_THE_KEY, SWEEP_STEP, type SweptRow } from './owner-ending.sql.js';

const EVERY_MS = 10_000;
/**
 * Between two steps there is at least this pause, and never less than the last step took: so it uses one connection half of
 * the time at most.
 */
const PAUSE_MS = 20;

/**
 * When all grants of a user end by one row in `owner_endings`, this writes the end into the rows of the grants, and then
 * deletes that row. Until then each look-up reads `owner_endings` too, so nothing depends on when this happens; and any
 * instance goes on where another one stopped.
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

  /** While the pools are still open. Other instances do the rest, or the next start does. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Returns at once. */
  wake(): void {
    if (this.running || this.stopped || !this.database.open) return;
    this.running = this.sweep().finally(() => (this.running = undefined));
  }

  /** Goes on until there is no ending that no other instance works on. If one fails now, the others still have their turn. */
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

/** One that no other instance works on. */
function claim(entities: EntityManager, but: readonly string[]): Promise<OwnerEnding | null> {
  return entities.findOne(OwnerEnding, {
    where: { id: Not(In(but)) },
    order: { endedAt: 'ASC', id: 'ASC' },
    lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
  });
}

/** @returns how many grants were alive until their ending */
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
