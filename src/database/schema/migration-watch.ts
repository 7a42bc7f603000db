import type { Client } from 'pg';

/** The name of migrating connections in pg_stat_activity. */
export const MIGRATING = 'keks migration';
const EVERY_MS = 1_000;

const WAITS_FOR = `
  SELECT coalesce(l.relation::regclass::text, l.locktype) AS what,
         (SELECT string_agg(format('%s, %s', b.pid, coalesce(nullif(b.application_name, ''), 'unnamed')), '; ')
            FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(l.pid))) AS holders
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
   WHERE NOT l.granted AND a.application_name = $1 AND a.datname = current_database() LIMIT 1`;

const BUILDS = `
  SELECT p.relid::regclass::text AS of, nullif(p.index_relid, 0)::regclass::text AS index, p.phase,
         CASE WHEN p.blocks_total > 0 THEN (100 * p.blocks_done / p.blocks_total)::int END AS percent
    FROM pg_stat_progress_create_index p JOIN pg_stat_activity a ON a.pid = p.pid
   WHERE a.application_name = $1 AND p.datname = current_database() LIMIT 1`;

/**
 * Tells every second what a running migration does: it waits for a lock, and who holds the lock; or it builds an index.
 * @param client used for nothing else meanwhile
 */
export async function watched<T>(
  client: Client,
  tell: (progress: string) => void,
  migration: Promise<T>,
): Promise<T> {
  const state = { over: false };
  let wake: () => void = () => undefined;
  const watching = (async () => {
    for (;;) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, EVERY_MS).unref();
      });
      if (state.over) return;
      const progress = await look(client).catch(() => undefined);
      if (progress !== undefined) tell(progress);
    }
  })();
  try {
    return await migration;
  } finally {
    state.over = true;
    wake();
    await watching;
  }
}

async function look(client: Client): Promise<string | undefined> {
  const { rows: waits } = await client.query<{ what: string; holders: string | null }>(WAITS_FOR, [
    MIGRATING,
  ]);
  if (waits[0])
    return `the migration waits for a lock of ${waits[0].what}, which others hold (${waits[0].holders ?? 'unknown'})`;
  const { rows: builds } = await client.query<{
    of: string;
    index: string | null;
    phase: string;
    percent: number | null;
  }>(BUILDS, [MIGRATING]);
  if (!builds[0]) return undefined;
  const { of, index, percent } = builds[0];
  const done = percent === null ? '' : ` (${percent}%)`;
  return `the migration builds ${index === null ? 'an index' : `the index ${index}`} of ${of}${done}`;
}
