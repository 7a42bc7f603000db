import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { format } from 'prettier';
import { ROOT } from './bench.js';
import type { BenchOptions } from './options.js';
import type { Outcome, Row } from './row.js';

export interface Measured {
  readonly row: Row;
  readonly outcome: Outcome;
}

/** Rows that were not measured this time keep what the file says of them. */
export async function writeResults(options: BenchOptions, measured: readonly Measured[]): Promise<void> {
  const file = resolve(ROOT, options.json);
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { rows?: object }) : {};
  const { rows: _rows, json: _json, database, ...parameters } = options;
  const now = Object.fromEntries(
    measured.map(({ row, outcome }) => [
      row.name,
      {
        what: row.what,
        result: outcome.result,
        note: outcome.note,
        measuredAt: new Date(),
        parameters: database === undefined ? parameters : { ...parameters, database: 'given' },
        ...outcome.details,
      },
    ]),
  );
  const results = { machine: machine(), rows: { ...before.rows, ...now } };
  writeFileSync(file, await format(JSON.stringify(results, rounded), { parser: 'json', printWidth: 110 }));
}

export function printTable(measured: readonly Measured[]): void {
  const head = ['#', 'row', 'reach', 'aim', 'median (spread)', ''];
  const lines = measured.map(({ row, outcome }) => [
    row.number > 0 ? `${row.number}` : '',
    row.name,
    row.reach,
    row.aim,
    outcome.result,
    outcome.note ?? '',
  ]);
  const widths = head.map((_, at) => Math.max(...[head, ...lines].map((line) => line[at]!.length)));
  const print = (line: readonly string[]) =>
    console.log(
      line
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    );
  [head, widths.map((width) => '-'.repeat(width)), ...lines].forEach(print);
}

function machine(): Record<string, unknown> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
