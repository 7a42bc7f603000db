import { cookies } from '../harness/bench.js';
import { compare, rate, spread, throughput, type Row } from '../harness/row.js';

const SMALL = 100_000;

export const size: Row = {
  name: 'size',
  number: 7,
  what: 'figure 1 with 10,000,000 tokens in the table / with 100,000',
  reach: '0.90',
  aim: '0.98',
  async run(bench) {
    const { bigTable } = bench.options;
    const [small, big] = [await bench.database(SMALL), await bench.database(bigTable)];
    const [onSmall, onBig] = [await bench.keks(small), await bench.keks(big)];
    const [few, many] = [cookies(onSmall, small.tokensFile), cookies(onBig, big.tokensFile)];
    const seen = await bench.interleaved({ big: () => bench.load(many), small: () => bench.load(few) }, [
      many,
      few,
    ]);
    await bench.stop(onSmall);
    await bench.stop(onBig);
    const { ratio, details } = compare(['big', seen.big], ['small', seen.small]);
    const note = `${rate(throughput(seen.big))} to ${rate(throughput(seen.small))}, ${bigTable.toLocaleString('en')} tokens`;
    return { result: spread(ratio), note, details: { bigTable, ...details } };
  },
};
