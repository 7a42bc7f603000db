import { resolve } from 'node:path';
import type { Ask, Bench, FilledDatabase } from '../harness/bench.js';
import type { LoadResult } from '../harness/load.plan.js';
import type { Program } from '../harness/process.js';
import { compare, rate, spread, throughput, type Outcome } from '../harness/row.js';
import { figure, type Figure } from '../harness/statistics.js';

export interface Contest {
  /** @param at 0 for this version, 1 for the one beside it: of what can be used once, each has its own */
  ours(program: Program, at: number): Ask;
  /** In memory. */
  readonly peer?: Ask;
}

const PEER = 'oidc-provider';

/** This version, the one of `--beside` and a peer, if there are any, in turns; both versions on the same database. */
export async function besideOthers(
  bench: Bench,
  database: FilledDatabase,
  contest: Contest,
): Promise<Outcome> {
  const { beside } = bench.options;
  const keks = await bench.keks(database);
  const other = beside === undefined ? undefined : await bench.keks(database, [], {}, resolve(beside));
  const asks = new Map<string, Ask>([['keks', contest.ours(keks, 0)]]);
  if (other) asks.set('beside', contest.ours(other, 1));
  if (contest.peer) asks.set(PEER, contest.peer);
  const sides = Object.fromEntries([...asks].map(([name, ask]) => [name, () => bench.load(ask)]));
  const seen = await bench.interleaved(sides, [...asks.values()]);
  for (const program of [keks, other]) if (program) await bench.stop(program);
  const ours = seen['keks'] ?? [];
  const cost = `${rate(throughput(ours))}, ${cpuOf(ours)} us of CPU`;
  const against = [PEER, 'beside'].flatMap((name) => {
    const theirs = seen[name];
    return theirs ? [{ name, theirs, ...compare(['keks', ours], [name, theirs]) }] : [];
  });
  const told = against.map(({ name, theirs, ratio }) => {
    return `${spread(ratio)} times ${name}, which does ${rate(throughput(theirs))} with ${cpuOf(theirs)} us`;
  });
  const details = Object.fromEntries(against.map((one) => [one.name, one.details]));
  const result = contest.peer && against[0] ? spread(against[0].ratio) : cpuOf(ours);
  return { result, note: [cost, ...told].join('; '), details: { ...details, rounds: ours } };
}

/** Microseconds of CPU a request, of the server and of PostgreSQL. */
function cpuOf(results: readonly LoadResult[]): string {
  const median = (values: readonly (number | undefined)[]): Figure =>
    figure(values.filter((one) => one !== undefined));
  const server = median(results.map((one) => one.serverMicroseconds));
  const database = median(results.map((one) => one.databaseMicroseconds));
  return `${server.median.toFixed(0)} + ${database.median.toFixed(0)}`;
}
