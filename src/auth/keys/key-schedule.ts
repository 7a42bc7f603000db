import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Database } from '../../database/database.js';
import { KeyRing } from './key-ring.js';
import { KeyUpkeep } from './key-upkeep.js';
import { reloadSeconds } from './key-timing.js';
import { SigningKeys } from './signing-keys.js';

const WHILE_AWAY_MS = 1_000;

/**
 * Does what is due with the signing keys on every server: reads, rotates, seals and deletes them. It does not run on the
 * command line, which may have another SECRET_KEY than the servers.
 */
@Injectable()
export class KeySchedule implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('keys');
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly keys: SigningKeys,
    private readonly ring: KeyRing,
    private readonly upkeep: KeyUpkeep,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): Promise<void> {
    return this.turn();
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Any number of instances may do it at once. @throws Unavailable */
  async run(): Promise<void> {
    await this.ring.reload();
    await this.keys.rotateIfDue();
    await this.upkeep.reseal();
    await this.upkeep.purge();
  }

  /** The database may not be there yet. */
  private async turn(): Promise<void> {
    try {
      if (this.database.open) await this.run();
    } catch (error) {
      this.logger.warn(`put off: ${error instanceof Error ? error.message : 'unknown fault'}`);
    }
    const pause = this.ring.loaded ? reloadSeconds(this.config) * 1_000 : WHILE_AWAY_MS;
    this.timer = setTimeout(() => void this.turn(), pause).unref();
  }
}
