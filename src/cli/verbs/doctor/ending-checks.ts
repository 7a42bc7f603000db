import type { Client } from 'pg';
import { ok, warn, type Finding } from './finding.js';

const CHECK = 'endings';
/** A million grants are written down in some minutes. */
const LATE_MINUTES = 60;

/**
 * Whether what has ended with all of its owner's grants is being written into the rows of the single grants. It has ended
 * either way; but each look-up asks for it until then.
 */
export async function checkEndings(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ count: number; minutes: number | null }>(`
    SELECT count(*)::int AS count, (extract(epoch FROM clock_timestamp() - min(ended_at)) / 60)::int AS minutes
      FROM owner_endings`);
  const { count = 0, minutes = null } = rows[0] ?? {};
  if (minutes === null) return ok(CHECK, 'all are written down');
  const message = `${count} being written down, the oldest for ${minutes} minutes`;
  if (minutes < LATE_MINUTES) return ok(CHECK, message);
  return warn(
    CHECK,
    message,
    'see that a server runs, and in its log why grants that have ended are written down later',
  );
}
