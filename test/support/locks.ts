import { vi } from 'vitest';
import type { TestDatabase } from './database.js';

/** The program's statements that wait for a lock which the test holds. */
const WAITING = `
  FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()`;

/** A transaction would else see again and again what it saw first. */
const FRESH = 'SELECT pg_stat_clear_snapshot()';

/**
 * Until so many wait: whoever lets go now decides a race, instead of hoping for one.
 * @param unless what may be over without having waited
 */
export async function untilWaiting(
  { client }: TestDatabase,
  count = 1,
  unless: Promise<unknown> = new Promise(() => undefined),
): Promise<void> {
  const progress = { over: false };
  unless.then(
    () => (progress.over = true),
    () => (progress.over = true),
  );
  await vi.waitFor(
    async () => {
      if (progress.over) return;
      await client.query(FRESH);
      const { rows } = await client.query(`SELECT pid ${WAITING}`);
      if (rows.length < count) throw new Error(`${rows.length} of ${count} wait for a lock`);
    },
    { timeout: 90_000, interval: 5 },
  );
}

/**
 * What the server does when a statement's time is over, done at once: all that wait for a lock are cancelled, until the
 * work that they belong to is done.
 */
export async function cancelled<T>({ client }: TestDatabase, work: Promise<T>): Promise<T> {
  const progress = { over: false };
  const settled = work.finally(() => (progress.over = true));
  settled.catch(() => undefined);
  while (!progress.over) {
    await client.query(FRESH);
    await client.query(`SELECT pg_cancel_backend(pid) ${WAITING}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return settled;
}
