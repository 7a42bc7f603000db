import { join } from 'node:path';
import { DIST, cookies } from '../harness/bench.js';
import { environment } from '../harness/fill.js';
import { KEKS_ARGUMENTS } from '../harness/process.js';
import { say } from '../harness/progress.js';
import { skipped, spread, type Row } from '../harness/row.js';
import { figure } from '../harness/statistics.js';

const STARTS = 5;
const SAMPLES_EVERY_MS = 250;

export const memory: Row = {
  name: 'memory',
  number: 9,
  what: 'resident memory under load; warm start to first answer',
  reach: '200 MB; 2 s',
  aim: '150 MB; 1 s',
  async run(bench) {
    const { folder } = await bench.cluster();
    const main = join(DIST, 'src/main.js');
    // with its own database, as `npm start` has it; the first start makes that database
    const embedded = {
      file: main,
      nodeArguments: KEKS_ARGUMENTS,
      environment: { DATA_DIR: join(folder, 'embedded') },
      path: '/cookies',
      status: 401,
    };
    await bench.stop(await bench.start(embedded));
    const starts: number[] = [];
    for (let at = 0; at < STARTS; at += 1) {
      const keks = await bench.start(embedded);
      starts.push(keks.readyAfter / 1_000);
      say(`  warm start: ${(keks.readyAfter / 1_000).toFixed(2)} s`);
      await bench.stop(keks);
    }
    const database = await bench.database();
    const keks = await bench.start({
      file: main,
      nodeArguments: KEKS_ARGUMENTS,
      environment: environment(database.url),
      path: '/health/ready',
    });
    const megabytes: number[] = [];
    const timer = setInterval(() => megabytes.push(keks.memory() ?? Number.NaN), SAMPLES_EVERY_MS);
    await bench.load(cookies(keks, database.tokensFile, { milliseconds: 20_000 }));
    clearInterval(timer);
    await bench.stop(keks);
    if (megabytes.some(Number.isNaN)) return skipped('this system does not tell the memory of a process');
    const [resident, start] = [figure(megabytes), figure(starts)];
    return {
      result: `${resident.high.toFixed(0)} MiB; ${spread(start)} s`,
      note: `${resident.median.toFixed(0)} MiB in the median`,
      details: { peakMiB: resident.high, medianMiB: resident.median, startSeconds: start },
    };
  },
};
