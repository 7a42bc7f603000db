import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuards } from '../harness/guards.js';
import { commits } from '../harness/postgres.js';
import { say } from '../harness/progress.js';
import type { Row } from '../harness/row.js';
import { measureRevokes } from './revokes.js';

const GUARDS = [10, 100, 1_000];
const SECONDS = 10;
const REVOKES = 50;

interface Load {
  /** A second. */
  readonly polls: number;
  readonly statements: number;
  /** Of one core. */
  readonly serverCpu: number;
  readonly guardsCpu: number;
  /** MiB. */
  readonly memory: number;
  /** With nothing else to do: milliseconds until a revoke was answered. */
  readonly p50: number;
  readonly p99: number;
}

/** How the authority's load grows with the guards that hold a lease of it, while nothing is taken back. */
export const feed: Row = {
  name: 'feed',
  number: 13,
  what: 'the load of an authority with 10, 100 and 1,000 guards, while nothing is taken back, and a revoke with so many',
  reach: 'report it',
  aim: '',
  async run(bench) {
    const database = await bench.database(Math.min(bench.options.tokens, 10_000));
    const [credentials = ''] = readFileSync(`${database.tokensFile}.jwt-clients`, 'utf8').split('\n');
    const details: Record<string, Load> = {};
    for (const count of GUARDS) {
      const keks = await bench.keks(database);
      const guards = await startGuards({ port: keks.port, count, credentials });
      const began = {
        statements: await commits(database.url),
        at: performance.now(),
        cpu: keks.cpu() ?? NaN,
      };
      await guards.report();
      await sleep(SECONDS * 1_000);
      const [simulated, cpu] = [await guards.report(), keks.cpu() ?? NaN];
      const quiet = (performance.now() - began.at) / 1_000;
      const statements = (await commits(database.url)) - began.statements;
      const counted = (performance.now() - began.at) / 1_000;
      const { p50, p99 } = await measureRevokes(keks, database, guards, REVOKES);
      const seen = {
        polls: simulated.polls / quiet,
        statements: statements / counted,
        serverCpu: (cpu - began.cpu) / quiet,
        guardsCpu: simulated.cpu / quiet,
        memory: keks.memory() ?? NaN,
        ...{ p50, p99 },
      };
      details[`${count} guards`] = seen;
      say(`  ${count} guards: ${JSON.stringify(seen)}`);
      await guards.stop();
      await bench.stop(keks);
    }
    const told = Object.entries(details).map(
      ([name, { serverCpu, statements, p50 }]) =>
        `${name} ${(serverCpu * 100).toFixed(0)}% of a core, ${statements.toFixed(0)} statements/s, a revoke ${p50.toFixed(1)} ms`,
    );
    return { result: told.join('; '), details: { ...details } };
  },
};
