import type pg from 'pg';
import { auditRetention } from './audit-retention.js';
import { unlessLocked } from './in-turn.js';

/**
 * If the owner has types of events dropped early, copies each past month once without them. The copy then replaces the
 * month.
 * @param names names of partitions
 * @param tell receives the progress in a few words
 */
export async function thinAuditLog(
  client: pg.Client,
  names: readonly string[],
  tell: (progress: string) => void,
): Promise<void> {
  if ((await auditRetention(client)).byType === '') return;
  for (const name of names.filter((one) => one.startsWith('audit_events_'))) {
    tell(`audit log: ${name}`);
    if (await copied(client, name)) await unlessLocked(client, 'SELECT keks_thin_audit($1, true)', [name]);
  }
}

/**
 * Copies step by step, with a commit after each: nobody waits for it, and a copy that was cut off goes on where it
 * stopped.
 * @returns whether the copy is ready to replace its month
 */
async function copied(client: pg.Client, name: string): Promise<boolean> {
  for (;;) {
    await client.query('BEGIN; SET LOCAL statement_timeout = 0');
    const { rows } = await client.query<{ ready: boolean | null }>(
      'SELECT keks_thin_audit($1, false) AS ready',
      [name],
    );
    await client.query('COMMIT');
    const ready = rows[0]?.ready ?? null;
    if (ready !== null) return ready;
  }
}
