import type { Notification, PoolClient } from 'pg';
import type { Database } from '../../database/database.js';
import { CHANNEL } from './leases.sql.js';

const AGAIN_MS = 1_000;

/**
 * Listens for other instances that have written something into the log. It is quick and proves nothing: what it misses is
 * found by the next read.
 */
export class Bell {
  private client: PoolClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  private wanted = false;

  constructor(
    private readonly database: Database,
    private readonly rung: (payload: string | undefined) => void,
  ) {}

  listen(): void {
    if (this.wanted) return;
    this.wanted = true;
    void this.open();
  }

  stop(): void {
    this.wanted = false;
    clearTimeout(this.timer);
    this.drop();
  }

  private async open(): Promise<void> {
    try {
      const client = await this.database.lend();
      client.on('notification', this.heard);
      client.once('error', this.lost);
      client.once('end', this.lost);
      this.client = client;
      await client.query(`LISTEN ${CHANNEL}`);
      if (!this.wanted) this.drop();
    } catch {
      this.lost();
    }
  }

  private readonly heard = ({ payload }: Notification): void => this.rung(payload);

  private readonly lost = (): void => {
    this.drop();
    if (this.wanted) this.timer = setTimeout(() => void this.open(), AGAIN_MS).unref();
  };

  /** Its connection listens: nobody else can have it. */
  private drop(): void {
    const { client } = this;
    this.client = undefined;
    if (!client) return;
    client.off('notification', this.heard);
    client.off('error', this.lost);
    client.off('end', this.lost);
    client.release(true);
  }
}
