import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { putAstray, spanOf, type Parent } from '../support/moving-rows.js';
import type { Random } from './random.js';
import type { World } from './world.js';

const HOUR_MS = 3_600_000;
/** When what is made now expires, or was written. */
const TIMES: Record<Parent, number> = {
  access_tokens: HOUR_MS,
  refresh_tokens: 30 * 24 * HOUR_MS,
  audit_events: 0,
};

export const ROWS_MOVE = 'rows that move between partitions';

/**
 * A partition is emptied into the default one and dropped, as if it had never been made; requests go on; then it is made, and
 * takes its rows back. Slowly, so that many wait for it.
 */
export async function moveRows(world: World, random: Random): Promise<void> {
  const parent = random.pick(Object.keys(TIMES) as Parent[]) ?? 'access_tokens';
  const span = spanOf(parent, Date.now() + TIMES[parent]);
  const client = await world.connect();
  try {
    await client.query(`SET lock_timeout = '300ms'`);
    await patiently(client, () => putAstray(client, parent, span));
    await sleep(random.between(50, 300));
    await patiently(client, async () => {
      await client.query('BEGIN');
      await client.query('SELECT keks_make_partition($1, $2, $3)', [parent, span.from, span.to]);
      await sleep(random.between(20, 120));
      await client.query('COMMIT');
    });
  } finally {
    await client.end();
  }
}

/** Whoever works with these tables is not waited for, but asked again. */
async function patiently(client: Client, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      await client.query('ROLLBACK');
      if (attempt === 50) throw error;
      await sleep(20);
    }
  }
}
