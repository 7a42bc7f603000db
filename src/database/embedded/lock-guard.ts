import type { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { claim, release } from './owner-lock.js';
import type { PostgresAddress } from './postgres-address.js';

export interface Guarded {
  readonly address: PostgresAddress;
  readonly isServing: () => boolean;
  readonly log: (line: string) => void;
}

const RETRY_MS = 50;

/**
 * Takes the lock again when its session ends while the server runs: PostgreSQL ends all sessions when one of them
 * crashes.
 */
export class LockGuard {
  private over = false;

  constructor(
    private client: Client,
    private readonly guarded: Guarded,
  ) {
    this.watch();
  }

  /** Call this before a stop: from now on a lost session is expected. */
  expectEnd(): void {
    this.over = true;
  }

  async release(): Promise<void> {
    await release(this.client);
  }

  private watch(): void {
    this.client.once('end', () => {
      if (!this.isOver()) void this.regain();
    });
  }

  private async regain(): Promise<void> {
    this.guarded.log('The session that marks the data directory as ours was lost: taking the lock again.');
    while (!this.isOver()) {
      const found = await claim(this.guarded.address);
      if (found.state === 'mine') {
        this.client = found.client;
        if (!this.isOver()) return this.watch();
        return release(found.client);
      }
      await sleep(RETRY_MS);
    }
  }

  private isOver(): boolean {
    return this.over || !this.guarded.isServing();
  }
}
