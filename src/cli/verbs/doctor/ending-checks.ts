import type { Client } from 'pg';
import { ok, warn, type Finding } from './finding.js';

const CHECK = 'endings';
/** Writing down the end of a million grants takes some minutes. */
const LATE_MINUTES = 60;

/**
 * When all grants of a user end at once, their rows are changed later. Checks that this is being done. The grants have ended
 * either way, but until then each look-up does more work.
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
