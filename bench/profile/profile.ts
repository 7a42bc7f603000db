import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cookies, unguarded, type Ask, type Bench, type FilledDatabase } from '../harness/bench.js';
import { startGuards } from '../harness/guards.js';
import { firstLine } from '../harness/peer.js';
import type { Program } from '../harness/process.js';
import { say } from '../harness/progress.js';
import type { Row } from '../harness/row.js';
import { tokenRequests } from '../rows/client-credentials.js';
import { introspections } from '../rows/introspect.js';
import { issueJwts } from '../rows/jwt.js';
import { startApi } from '../rows/lease.js';
import { refreshes } from '../rows/refresh.js';
import { measureRevokes } from '../rows/revokes.js';
import { accountOf, type Account } from './cpu-profile.js';

const FUNCTIONS = 30;
const WARM_UP_MS = 2_000;
const PROFILED_MS = 6_000;

type AskOf = (keks: Program, database: FilledDatabase) => Ask | Promise<Ask>;

interface Side {
  readonly name: string;
  readonly ask: AskOf;
  /** What is profiled, where it is not the load of `ask`. @returns microseconds of the server's CPU each */
  readonly instead?: (keks: Program, database: FilledDatabase) => Promise<number>;
  /** An API in a process of its own: it is profiled, and not Keks. */
  readonly api?: boolean;
}

const jwts: AskOf = async (keks, database) => cookies(keks, (await issueJwts(keks, database, 1_000)) ?? '');

const SIDES: readonly Side[] = [
  { name: 'unguarded', ask: unguarded },
  { name: 'guarded', ask: (keks, { tokensFile }) => cookies(keks, tokensFile) },
  {
    name: 'jwt',
    ask: jwts,
  },
  {
    name: 'jwt of a lease',
    api: true,
    ask: jwts,
  },
  {
    name: 'introspect',
    ask: ({ port }, { tokensFile }) =>
      introspections(port, '/oauth/introspect', firstLine(`${tokensFile}.clients`), tokensFile),
  },
  {
    name: 'client-credentials',
    ask: ({ port }, { tokensFile }) => tokenRequests(port, '/oauth/token', `${tokensFile}.clients`),
  },
  {
    name: 'refresh',
    ask: ({ port }, { tokensFile }) => refreshes(port, `${tokensFile}.refresh-2`),
  },
  { name: 'revoke told to 50 guards', ask: unguarded, instead: toldToGuards },
];

async function toldToGuards(keks: Program, database: FilledDatabase): Promise<number> {
  const [credentials = ''] = readFileSync(`${database.tokensFile}.jwt-clients`, 'utf8').split('\n');
  const guards = await startGuards({ port: keks.port, count: 50, credentials });
  const { serverMs } = await measureRevokes(keks, database, guards);
  await guards.stop();
  return serverMs * 1_000;
}

/** Not a figure of the table: where the time of the server goes, for each kind of request. */
export const profile: Row = {
  name: 'profile',
  number: 0,
  what: 'where the time of a request goes',
  reach: '',
  aim: '',
  async run(bench) {
    const database = await bench.database();
    const measured = new Map<string, Measured>();
    for (const side of SIDES) {
      const account = await measure(bench, database, side);
      print(side.name, account);
      measured.set(side.name, account);
    }
    return {
      result: [...measured]
        .map(([name, { microseconds }]) => `${name} ${microseconds.toFixed(1)} us`)
        .join(', '),
      details: Object.fromEntries(measured),
    };
  },
};

interface Measured extends Account {
  /** Of the server's CPU, a request. */
  readonly microseconds: number;
}

async function measure(bench: Bench, database: FilledDatabase, side: Side): Promise<Measured> {
  const file = join((await bench.cluster()).folder, `${side.name}.cpuprofile`);
  const keks = await bench.keks(database, [], side.api ? {} : { PROFILE: file });
  const api = side.api ? await startApi(bench, keks, database, { PROFILE: file }) : undefined;
  const profiled = api ?? keks;
  const ask = { ...(await side.ask(keks, database)), port: profiled.port };
  await bench.load({ ...ask, milliseconds: WARM_UP_MS });
  profiled.signal('SIGUSR2');
  const microseconds = side.instead
    ? await side.instead(keks, database)
    : (await bench.load({ ...ask, milliseconds: PROFILED_MS })).serverMicroseconds;
  profiled.signal('SIGUSR2');
  await until(() => existsSync(file));
  if (api) await bench.stop(api);
  await bench.stop(keks);
  const account = accountOf(file);
  const { functions } = account;
  return {
    ...account,
    functions: functions.slice(0, FUNCTIONS),
    microseconds: microseconds ?? Number.NaN,
  };
}

function print(side: string, { groups, functions, idle, microseconds }: Measured): void {
  say(`  ${side}: idle ${percent(idle)}; of the rest, which is ${microseconds.toFixed(1)} us a request:`);
  for (const { name, share } of groups)
    say(`    ${percent(share)}  ${(share * microseconds).toFixed(1).padStart(5)} us  ${name}`);
  say('  functions, by self time:');
  for (const { name, share } of functions) say(`    ${percent(share)}  ${name}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)}%`;
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries === 100) throw new Error('the server wrote no profile');
    await sleep(100);
  }
}
