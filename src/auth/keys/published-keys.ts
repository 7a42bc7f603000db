import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import type { PublicJwk } from './es256-key.js';
import { KeyRing } from './key-ring.js';
import { reloadSeconds } from './key-timing.js';

/** What verifiers may know of the keys: RFC 7517. */
@Injectable()
export class PublishedKeys {
  private readonly logger = new Logger('keys');

  constructor(
    private readonly ring: KeyRing,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * While the database is away, these are the keys that were read last: nobody can rotate them meanwhile, and verifiers that
   * work without the authority should not notice.
   * @throws Unavailable if none have ever been read
   */
  async list(): Promise<PublicJwk[]> {
    try {
      await this.ring.refresh(reloadSeconds(this.config) * 1_000);
    } catch (error) {
      if (!this.ring.loaded) throw error;
      this.logger.warn(`the JWKS is of the last reading: ${error instanceof Error ? error.message : ''}`);
    }
    return this.ring.published().map((key) => key.publicJwk);
  }
}
