import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cookies, DIST } from '../harness/bench.js';
import { environment } from '../harness/fill.js';
import { KEKS_ARGUMENTS } from '../harness/process.js';
import type { LoadResult } from '../harness/load.plan.js';
import { compare, rate, spread, throughput, type Row } from '../harness/row.js';

export const workers: Row = {
  name: 'workers',
  number: 10,
  what: 'two server processes over one PostgreSQL / one; the same with WORKERS=2',
  reach: 'report it',
  aim: '',
  async run(bench) {
    const database = await bench.database();
    const [first, second] = [await bench.keks(database), await bench.keks(database)];
    const together = await bench.start({
      file: join(DIST, 'src/main.js'),
      nodeArguments: KEKS_ARGUMENTS,
      environment: { ...environment(database.url), WORKERS: '2' },
      path: '/health/ready',
    });
    const connections = bench.options.connections / 2;
    const half = (keks: typeof first) => cookies(keks, database.tokensFile, { connections });
    const all = cookies(first, database.tokensFile);
    const seen = await bench.interleaved(
      {
        two: async () => sum(await Promise.all([bench.load(half(first), 0), bench.load(half(second), 1)])),
        one: () => bench.load(all),
        together: async () => {
          // that would be the primary's alone
          const { serverMicroseconds: _, ...seen } = await bench.load(cookies(together, database.tokensFile));
          return seen;
        },
      },
      [half(first), half(second), cookies(together, database.tokensFile)],
    );
    await bench.stop(first);
    await bench.stop(second);
    await bench.stop(together);
    const { ratio, details } = compare(['two', seen.two], ['one', seen.one]);
    const cluster = compare(['WORKERS=2', seen.together], ['one', seen.one]);
    const note = `${rate(throughput(seen.two))} to ${rate(throughput(seen.one))} on ${availableParallelism()} cores; WORKERS=2 ${spread(cluster.ratio)}x`;
    return {
      result: `${spread(ratio)}x`,
      note,
      details: { ...details, clusterRatio: cluster.ratio, ...cluster.details, ratio },
    };
  },
};

/** Of loads that ran at the same time; of latencies the worse one. */
function sum(parts: readonly LoadResult[]): LoadResult {
  const total = (pick: (one: LoadResult) => number) => parts.reduce((before, one) => before + pick(one), 0);
  const worst = (pick: (one: LoadResult) => number) => Math.max(...parts.map(pick));
  return {
    requests: total((one) => one.requests),
    seconds: worst((one) => one.seconds),
    perSecond: total((one) => one.perSecond),
    unavailable: total((one) => one.unavailable),
    wrong: 0,
    p50: worst((one) => one.p50),
    p99: worst((one) => one.p99),
    max: worst((one) => one.max),
    generatorCpu: worst((one) => one.generatorCpu),
  };
}
