import { setTimeout as sleep } from 'node:timers/promises';
import { AuditLog, type AuditQuestion } from '../../auth/audit/audit-log.js';
import type { AuditRow } from '../../auth/audit/audit.sql.js';
import type { Position } from '../../auth/lists/cursors.js';
import { Clock } from '../../database/clock.js';
import type { Services } from '../services.js';

const EVERY_MS = 1_000;
/** An event gets its time before it is committed, and may turn up this long afterwards. */
const LATE_MS = 10_000;
const PAGE = 1_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Yields the last events that are there, then each new event once, soon after it happened; until nobody reads any more.
 * @param read reads the last events
 */
export async function follow(
  services: Services,
  question: AuditQuestion,
  read: () => Promise<readonly AuditRow[]>,
  show: (fresh: readonly AuditRow[]) => Promise<void>,
): Promise<void> {
  const unread = new AbortController();
  process.stdout.once('error', () => unread.abort());
  const [log, clock] = [services.get(AuditLog), services.get(Clock)];
  let since = clock.now() - LATE_MS;
  let seen = new Set<string>();
  for await (const events of pagesSince(log, question, since)) for (const { id } of events) seen.add(id);
  const before = await read();
  for (const { id } of before) seen.add(id);
  await show(before);
  while (!unread.signal.aborted) {
    const next = clock.now() - LATE_MS;
    const known = new Set<string>();
    for await (const events of pagesSince(log, question, since)) {
      for (const { id } of events) known.add(id);
      await show(events.filter(({ id }) => !seen.has(id)));
    }
    [since, seen] = [next, known];
    await sleep(EVERY_MS);
  }
}

async function* pagesSince(
  log: AuditLog,
  question: AuditQuestion,
  since: number,
): AsyncGenerator<readonly AuditRow[]> {
  let from: Position = [new Date(since).toISOString(), FIRST_ID];
  for (let page; page === undefined || page.length === PAGE;) {
    page = await log.tail(question, PAGE, from);
    yield page;
    from = page.at(-1)?.position ?? from;
  }
}
