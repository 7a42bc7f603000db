import type pg from 'pg';
import { auditRetention } from './audit-retention.js';
import { unlessLocked } from './in-turn.js';

/**
 * If the owner lets types of events go early, each past month is copied once without them, and the copy takes its place.
 * @param names of partitions
 * @param tell told in a few words how far it is
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

/** Step by step, each committed: nobody waits for it, and one that was cut off goes on where it was. */
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
