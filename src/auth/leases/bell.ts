import type { Notification, PoolClient } from 'pg';
import type { Database } from '../../database/database.js';
import { CHANNEL } from './leases.sql.js';

const AGAIN_MS = 1_000;

/**
 * Listens for notifications from other instances: something was written into the log, or a guard leaves. The bell only
 * makes it quick and proves nothing. The next read of the log finds what the bell has missed.
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

  /** Closes the connection: it listens, so it must not go back to the pool. */
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
