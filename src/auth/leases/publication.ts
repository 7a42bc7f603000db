import type { LeaseHolders } from './lease-holders.js';
import type { Snapshot } from './snapshot.js';

const WAIT_MOST_MS = 60_000;
/** If there are very many, the last are enough: a guard that has applied them has applied all before them. */
const OPEN_MOST = 10_000;

/**
 * Owns the transactions that guards were told of and that the register does not confirm yet. The register confirms them
 * with the next renewal of the entry. If another instance has rung, the entry is renewed as soon as all guards have
 * applied them, because somebody at that instance may wait.
 */
export class Publication {
  private open: bigint[] = [];
  private isAwaited = false;
  private isWaiting = false;
  private due = false;

  constructor(
    private readonly holders: LeaseHolders,
    private readonly onDue: () => void,
  ) {}

  get isDue(): boolean {
    return this.due;
  }

  add(transactions: readonly bigint[]): void {
    this.open = [...this.open, ...new Set(transactions)].slice(-OPEN_MOST);
    this.watch();
  }

  awaited(): void {
    this.isAwaited = true;
    this.watch();
  }

  /** @param published what the guards have applied, as the register says now */
  done(published: Snapshot): void {
    this.due = false;
    this.open = this.open.filter((one) => !published.sees(one));
    if (this.open.length === 0) this.isAwaited = false;
    else this.watch();
  }

  clear(): void {
    this.open = [];
    this.isAwaited = false;
    this.due = false;
  }

  private watch(): void {
    if (!this.isAwaited || this.isWaiting || this.open.length === 0) return;
    this.isWaiting = true;
    void this.whenApplied();
  }

  private async whenApplied(): Promise<void> {
    await this.holders.told(this.open.slice(), performance.now() + WAIT_MOST_MS);
    this.isWaiting = false;
    this.due = this.open.length > 0;
    if (this.due) this.onDue();
  }
}
