import type { Bench } from './bench.js';
import type { LoadResult } from './load.plan.js';
import { figure, ratio, type Figure } from './statistics.js';

/** One row of the table. */
export interface Row {
  readonly name: string;
  /** In the table. */
  readonly number: number;
  readonly what: string;
  readonly reach: string;
  readonly aim: string;
  run(bench: Bench): Promise<Outcome>;
}

export interface Outcome {
  /** For the table: the figure with its spread. */
  readonly result: string;
  /** Anything worth telling beside it. */
  readonly note?: string;
  /** For the file: all that was measured. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** A row that cannot be measured here, and why. */
export function skipped(why: string): Outcome {
  return { result: 'skipped', note: why, details: { skipped: why } };
}

export interface Sides {
  readonly ratio: Figure;
  readonly details: Record<string, unknown>;
}

export function throughput(results: readonly LoadResult[]): Figure {
  return figure(results.map((one) => one.perSecond));
}

/** Requests a second of one side to those of the other. */
export function compare(
  ours: readonly [string, readonly LoadResult[]],
  theirs: readonly [string, readonly LoadResult[]],
): Sides {
  const found = ratio(throughput(ours[1]).rounds, throughput(theirs[1]).rounds);
  return {
    ratio: found,
    details: { ratio: found, [ours[0]]: digest(ours[1]), [theirs[0]]: digest(theirs[1]) },
  };
}

/** What of several rounds goes into the file. */
export function digest(results: readonly LoadResult[]): Record<string, Figure> {
  const known = (of: 'serverMicroseconds' | 'databaseMicroseconds'): Record<string, Figure> => {
    const values = results.map((one) => one[of]).filter((one) => one !== undefined);
    return values.length === 0 ? {} : { [of]: figure(values) };
  };
  return {
    ...known('serverMicroseconds'),
    ...known('databaseMicroseconds'),
    perSecond: throughput(results),
    p50: figure(results.map((one) => one.p50)),
    p99: figure(results.map((one) => one.p99)),
    generatorCpu: figure(results.map((one) => one.generatorCpu)),
    unavailable: figure(results.map((one) => one.unavailable)),
  };
}

export function spread({ median, low, high }: Figure, digits = 2): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

export function rate({ median }: Figure): string {
  return `${Math.round(median).toLocaleString('en')}/s`;
}

export function p99(results: readonly LoadResult[]): Figure {
  return figure(results.map((one) => one.p99));
}
