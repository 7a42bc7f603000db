import { cookies, unguarded } from '../harness/bench.js';
import { compare, rate, spread, throughput, type Row } from '../harness/row.js';

export const guard: Row = {
  name: 'guard',
  number: 1,
  what: '`GET /cookies` with an opaque token / the unguarded route',
  reach: '0.70',
  aim: '0.85',
  async run(bench) {
    const database = await bench.database();
    const keks = await bench.keks(database);
    const [guarded, open] = [cookies(keks, database.tokensFile), unguarded(keks)];
    const seen = await bench.interleaved(
      { guarded: () => bench.load(guarded), unguarded: () => bench.load(open) },
      [guarded, open],
    );
    await bench.stop(keks);
    const { ratio, details } = compare(['guarded', seen.guarded], ['unguarded', seen.unguarded]);
    return {
      result: spread(ratio),
      note: `${rate(throughput(seen.guarded))} of ${rate(throughput(seen.unguarded))}`,
      details,
    };
  },
};
