/** `npm run bench -- [row ...]`: measures the rows of the table, prints it and writes it to a file. */
import { Bench } from './harness/bench.js';
import { readOptions, USAGE } from './harness/options.js';
import { say } from './harness/progress.js';
import { printTable, writeResults, type Measured } from './harness/report.js';
import { profile } from './profile/profile.js';
import { ceiling } from './rows/ceiling.js';
import { loginFlood } from './rows/login-flood.js';
import { loginTiming } from './rows/login-timing.js';
import { metrics } from './rows/metrics.js';
import { primary } from './rows/primary.js';
import { ROWS } from './rows/rows.js';

const options = readOptions(process.argv.slice(2));
const known = new Map(
  [...ROWS, ceiling, loginFlood, loginTiming, metrics, primary, profile].map((row) => [row.name, row]),
);
const unknown = options.rows.filter((name) => !known.has(name));
if (unknown.length > 0) {
  say(`no row is called ${unknown.join(', ')}: there are ${[...known.keys()].join(', ')}\n${USAGE}`);
  process.exit(1);
}

const bench = new Bench(options);
const stop = (): void => void bench.close().finally(() => process.exit(130));
process.once('SIGINT', stop).once('SIGTERM', stop);

const measured: Measured[] = [];
try {
  const wanted = options.rows.length === 0 ? ROWS : options.rows.map((name) => known.get(name)!);
  for (const [at, row] of wanted.entries()) {
    say(`${at + 1}/${wanted.length} ${row.name}: ${row.what}`);
    const outcome = await row.run(bench);
    measured.push({ row, outcome });
    await writeResults(options, measured);
    say(`  ${outcome.result}${outcome.note ? ` - ${outcome.note}` : ''}`);
  }
} finally {
  await bench.close();
  if (measured.length > 0) printTable(measured);
}
