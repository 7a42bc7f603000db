import { cookies, type Ask } from '../harness/bench.js';
import { PASSWORD } from '../harness/fill.js';
import type { LoadResult } from '../harness/load.plan.js';
import { digest, p99, spread, type Row } from '../harness/row.js';
import { figure, ratio } from '../harness/statistics.js';

const LOGINS = 64;

export const logins: Row = {
  name: 'logins',
  number: 5,
  what: `p99 of \`GET /cookies\` with ${LOGINS} logins always in flight / without`,
  reach: '3x',
  aim: '1.5x',
  async run(bench) {
    const database = await bench.database();
    const keks = await bench.keks(database);
    const guarded = cookies(keks, database.tokensFile);
    const login: Ask = {
      port: keks.port,
      method: 'POST',
      path: '/issue',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user: 'user1', password: PASSWORD }),
      connections: LOGINS,
      expect: 200,
    };
    const flood: LoadResult[] = [];
    const seen = await bench.interleaved(
      {
        quiet: () => bench.load(guarded),
        flooded: async () => {
          const background = bench.load(login, 1);
          const result = await bench.load(guarded);
          flood.push(await background);
          return result;
        },
      },
      [guarded],
    );
    await bench.stop(keks);
    const [quiet, flooded] = [p99(seen.quiet), p99(seen.flooded)];
    const found = ratio(flooded.rounds, quiet.rounds);
    const perSecond = figure(flood.map((one) => one.perSecond));
    return {
      result: `${spread(found)}x`,
      note: `${flooded.median.toFixed(1)} ms to ${quiet.median.toFixed(1)} ms, ${perSecond.median.toFixed(0)} logins/s`,
      details: {
        ratio: found,
        quiet: digest(seen.quiet),
        flooded: digest(seen.flooded),
        logins: digest(flood),
      },
    };
  },
};
