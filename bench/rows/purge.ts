import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config/config.js';
import { DatabaseClock } from '../../src/database/clock.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { connectionOf } from '../../src/database/pools.js';
import { cookies } from '../harness/bench.js';
import { environment } from '../harness/fill.js';
import { withClient } from '../harness/postgres.js';
import { progress } from '../harness/progress.js';
import { digest, p99, spread, type Row } from '../harness/row.js';
import { figure, ratio } from '../harness/statistics.js';

const EXPIRED = 1_000_000;
const DAY_MS = 86_400_000;

export const purge: Row = {
  name: 'purge',
  number: 8,
  what: 'purging 1,000,000 expired tokens: time, and p99 of `GET /cookies` meanwhile / without',
  reach: '1 s, 1.5x',
  aim: '0.2 s, 1.1x',
  async run(bench) {
    const database = await bench.database();
    const keks = await bench.keks(database);
    const maintenance = new Maintenance(loadConfig(environment(database.url)), new DatabaseClock());
    await maintenance.prepare(connectionOf(database.url));
    const guarded = cookies(keks, database.tokensFile);
    const seconds: number[] = [];
    const seen = await bench.interleaved(
      {
        quiet: () => bench.load(guarded),
        purging: async () => {
          progress('  filling the partition that will be purged');
          await addExpired(database.url);
          const load = bench.load(guarded);
          await sleep((bench.options.seconds * 1_000) / 2);
          const startedAt = performance.now();
          const { partitions } = await maintenance.purge();
          seconds.push((performance.now() - startedAt) / 1_000);
          if (partitions.length !== 1) throw new Error(`purged were ${partitions.join(', ') || 'none'}`);
          return load;
        },
      },
      [guarded],
    );
    await bench.stop(keks);
    const [found, time] = [ratio(p99(seen.purging).rounds, p99(seen.quiet).rounds), figure(seconds)];
    const longest = figure(seen.purging.map((one) => one.max));
    return {
      result: `${spread(time)} s, ${spread(found)}x`,
      note: `longest request meanwhile ${longest.median.toFixed(0)} ms`,
      details: {
        expired: EXPIRED,
        seconds: time,
        ratio: found,
        longest,
        quiet: digest(seen.quiet),
        purging: digest(seen.purging),
      },
    };
  },
};

/** Yesterday's partition, as full as it was when it was in use. */
async function addExpired(url: string): Promise<void> {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const [from, to] = [new Date(today - DAY_MS), new Date(today)];
  await withClient(url, async (client) => {
    await client.query(`SELECT keks_make_partition('access_tokens', $1, $2)`, [from, to]);
    await client.query(
      `INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, scope, audience, format)
       SELECT sha256(uuid_send(gen_random_uuid())), $1::timestamptz + n * interval '80 milliseconds',
              gen_random_uuid(), gen_random_uuid(), 'cookies:eat', 'http://127.0.0.1:3000', 'opaque'
         FROM generate_series(1, $2::int) AS n`,
      [from, EXPIRED],
    );
    await client.query('CHECKPOINT');
  });
}
