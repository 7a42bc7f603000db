import { DirectoryHeld, EmbeddedRefusal } from './embedded-refusal.js';

/**
 * A backend takes a moment to notice that its session was killed. So a lock counts only after it is held for longer
 * than this.
 */
const HELD_MS = 1000;
/** A backend of a killed server may finish its query first, and keeps the shared memory until then. */
const LINGER_MS = 30_000;
/**
 * Crash recovery replays the changes since the last checkpoint. If a start cut it short, the next one would begin it
 * again.
 */
const RECOVERY_MS = 600_000;
const TELL_AFTER_MS = 1000;

/**
 * Decides how long a start waits for each reason, what it logs meanwhile, and what it reports after waiting in vain.
 */
export class Patience {
  private readonly since = Date.now();
  private heldSince: number | null = null;
  private told = false;

  constructor(private readonly site: { readonly dataDir: string; readonly log: (line: string) => void }) {}

  held(by: string): void {
    this.heldSince ??= Date.now();
    if (Date.now() - this.heldSince < HELD_MS) return;
    throw new DirectoryHeld(
      `${this.site.dataDir} is in use by another Keks (${by}): stop that one, or choose another DATA_DIR`,
    );
  }

  waiting(forWhat: string, recovers = false): void {
    this.heldSince = null;
    const waited = Date.now() - this.since;
    if (waited > (recovers ? RECOVERY_MS : LINGER_MS)) {
      throw new EmbeddedRefusal(
        `${this.site.dataDir} cannot be used: ${forWhat}; wait for that to end, or choose another DATA_DIR`,
      );
    }
    if (this.told || waited < TELL_AFTER_MS) return;
    this.site.log(`Waiting: ${forWhat}.`);
    this.told = true;
  }
}
