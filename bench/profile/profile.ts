import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cookies, unguarded, type Ask, type Bench, type FilledDatabase } from '../harness/bench.js';
import { say } from '../harness/progress.js';
import type { Row } from '../harness/row.js';
import { accountOf, type Account } from './cpu-profile.js';

const FUNCTIONS = 30;

/** Not a figure of the table: where the time of the server goes, in a guarded request and in an unguarded one. */
export const profile: Row = {
  name: 'profile',
  number: 0,
  what: 'where the time of `GET /cookies` goes',
  reach: '',
  aim: '',
  async run(bench) {
    const database = await bench.database();
    const guarded = await measure(bench, database, 'guarded');
    const open = await measure(bench, database, 'unguarded');
    print('guarded', guarded, FUNCTIONS);
    print('unguarded', open, 0);
    return {
      result: `${guarded.microseconds.toFixed(1)} us a guarded request, ${open.microseconds.toFixed(1)} us an unguarded one`,
      details: {
        guarded: { ...guarded, functions: guarded.functions.slice(0, FUNCTIONS) },
        unguarded: { ...open, functions: [] },
      },
    };
  },
};

interface Measured extends Account {
  /** Of the server's time, a request. */
  readonly microseconds: number;
}

async function measure(
  bench: Bench,
  database: FilledDatabase,
  side: 'guarded' | 'unguarded',
): Promise<Measured> {
  const folder = join((await bench.cluster()).folder, `profile-${side}`);
  mkdirSync(folder, { recursive: true });
  const keks = await bench.keks(database, [
    '--cpu-prof',
    `--cpu-prof-dir=${folder}`,
    '--cpu-prof-interval=250',
  ]);
  const ask: Ask = side === 'guarded' ? cookies(keks, database.tokensFile) : unguarded(keks);
  const { perSecond } = await bench.load({ ...ask, milliseconds: 10_000 });
  await bench.stop(keks);
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error('the server left no profile');
  const account = accountOf(join(folder, file));
  return { ...account, microseconds: ((1 - account.idle) * 1e6) / perSecond };
}

function print(side: string, { groups, functions, idle, microseconds }: Measured, most: number): void {
  say(`  ${side}: idle ${percent(idle)}; of the rest, which is ${microseconds.toFixed(1)} us a request:`);
  for (const { name, share } of groups)
    say(`    ${percent(share)}  ${(share * microseconds).toFixed(1).padStart(5)} us  ${name}`);
  if (most > 0) say('  functions, by self time:');
  for (const { name, share } of functions.slice(0, most)) say(`    ${percent(share)}  ${name}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)}%`;
}
