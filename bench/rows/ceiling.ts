import { join } from 'node:path';
import { ROOT, type Ask } from '../harness/bench.js';
import { digest, rate, throughput, type Row } from '../harness/row.js';
import { figure } from '../harness/statistics.js';

/** Not a figure of the table: what the load generator can do, against servers that do nothing. */
export const ceiling: Row = {
  name: 'ceiling',
  number: 0,
  what: "the load generator's own limit",
  reach: '',
  aim: '',
  async run(bench) {
    const peer = (name: string) =>
      bench.start({ file: join(ROOT, `bench/peers/${name}.mjs`), environment: {}, path: '/' });
    const [constant, http] = [await peer('constant'), await peer('http')];
    const seen = await bench.interleaved({
      constant: () => bench.load(ask(constant.port)),
      http: () => bench.load(ask(http.port)),
    });
    await bench.stop(constant);
    await bench.stop(http);
    const microseconds = figure(seen.constant.map((one) => (one.generatorCpu * 1e6) / one.perSecond));
    return {
      result: `${Math.round(1e6 / microseconds.median).toLocaleString('en')}/s on a core of its own`,
      note: `${microseconds.median.toFixed(1)} us a request; seen: ${rate(throughput(seen.constant))} from a socket that answers always the same, ${rate(throughput(seen.http))} from node:http`,
      details: { microsecondsOfCpu: microseconds, constant: digest(seen.constant), http: digest(seen.http) },
    };
  },
};

function ask(port: number): Ask {
  return { port, method: 'GET', path: '/cookies', expect: 200 };
}
