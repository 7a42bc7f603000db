import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Names of rows; none means all. */
  readonly rows: readonly string[];
  readonly tokens: number;
  /** Of those, how many are asked for. */
  readonly inUse: number;
  /** The table that figure 7 compares with one of 100,000. */
  readonly bigTable: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** So many processes do nothing but use the processor meanwhile. */
  readonly busy: number;
  /** The `dist` of another version, built with this bench, that is measured in turns with this one. */
  readonly beside: string | undefined;
  readonly json: string;
  /** Filled instead of one in a PostgreSQL of the run's own, and left as it is then. */
  readonly database?: string;
}

export const USAGE = `npm run bench -- [row ...] [--tokens 1000000] [--in-use 100000] [--big-table 10000000]
                    [--rounds 7] [--seconds 3] [--connections 64] [--busy 0] [--beside DIST] [--json bench/results.json]
                    [--database postgres://...: an empty one, for rows that need one only]`;

export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      tokens: { type: 'string', default: '1000000' },
      'in-use': { type: 'string', default: '100000' },
      'big-table': { type: 'string', default: '10000000' },
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      busy: { type: 'string', default: '0' },
      beside: { type: 'string' },
      json: { type: 'string', default: 'bench/results.json' },
      database: { type: 'string' },
    },
  });
  return {
    rows: positionals,
    tokens: whole(values.tokens),
    inUse: Math.min(whole(values['in-use']), whole(values.tokens)),
    bigTable: whole(values['big-table']),
    rounds: whole(values.rounds),
    seconds: Number(values.seconds),
    connections: whole(values.connections),
    busy: values.busy === '0' ? 0 : whole(values.busy),
    beside: values.beside,
    json: values.json,
    ...(values.database === undefined ? {} : { database: values.database }),
  };
}

function whole(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${text} is no whole number\n${USAGE}`);
  return value;
}
