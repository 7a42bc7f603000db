import type { Client } from 'pg';
import { LIST_RECEIVERS, type ReceiverRow } from '../../../auth/receivers/receivers.sql.js';
import { fail, ok, warn, type Finding } from './finding.js';

const CHECK = 'receivers';
/** Something that is waited for so long is not on its way. */
const LATE_MS = 60_000;
/** What was lost longer ago has been seen. */
const SEEN_MS = 7 * 86_400_000;

/** Whether everybody who is to be told of what ends is told. */
export async function checkReceivers(client: Client): Promise<Finding[]> {
  const { rows } = await client.query<ReceiverRow & { readonly now: Date }>(
    `SELECT *, clock_timestamp() AS now FROM (${LIST_RECEIVERS.text}) AS listed`,
  );
  if (rows.length === 0) return [ok(CHECK, 'nobody is told of what ends')];
  const found = rows.flatMap((row) => judge(row, row.now.getTime()));
  return found.length > 0 ? found : [ok(CHECK, `${rows.length}, and each takes what it is sent`)];
}

function judge(row: ReceiverRow, now: number): Finding[] {
  const findings: Finding[] = [];
  const waiting = `${row.undelivered} ${row.undelivered === 1 ? 'event waits' : 'events wait'}`;
  if (row.failing_since)
    findings.push(
      fail(
        CHECK,
        `${row.name} has taken nothing for ${minutes(now - row.failing_since.getTime())}: ${row.last_error ?? 'unknown why'}; ${waiting}`,
        `mend it, and try it with "keks receiver test ${row.name}"`,
      ),
    );
  else if (row.oldest_at && now - row.oldest_at.getTime() > LATE_MS)
    findings.push(
      warn(
        CHECK,
        `${waiting} for ${row.name}, the oldest for ${minutes(now - row.oldest_at.getTime())}`,
        'see that a server runs: only servers send events',
      ),
    );
  if (row.lost_at && now - row.lost_at.getTime() < SEEN_MS)
    findings.push(
      warn(
        CHECK,
        `${row.name} was not told of ${row.given_up} events that were given up and ${row.refused} that it refused, the last at ${row.lost_at.toISOString()}`,
        'look into the audit log for what it missed, and into its own for why',
      ),
    );
  return findings;
}

function minutes(ms: number): string {
  const count = Math.max(1, Math.round(ms / 60_000));
  return count === 1 ? 'a minute' : `${count} minutes`;
}
