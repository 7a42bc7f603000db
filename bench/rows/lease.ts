import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cookies, DIST, unguarded, type Bench, type FilledDatabase } from '../harness/bench.js';
import { environment } from '../harness/fill.js';
import { KEKS_ARGUMENTS, type Program } from '../harness/process.js';
import { commits, withClient } from '../harness/postgres.js';
import { compare, rate, skipped, spread, throughput, type Row } from '../harness/row.js';
import { issueJwts } from './jwt.js';

const TOKENS = 5_000;
const ENTRIES = 100_000;
const MEGABYTE = 1_000_000;

interface Held {
  readonly entries: number;
  readonly bytes: number;
}

/** In a process apart from the authority, whose database is asked about the feed and nothing else. */
export const lease: Row = {
  name: 'lease',
  number: 12,
  what: '`GET /cookies` with a JWT that a guard checks by its lease / the unguarded route; statements; memory',
  reach: '0.85',
  aim: '0.90; 20 MB',
  async run(bench) {
    const database = await bench.database(Math.min(bench.options.tokens, 10_000));
    const keks = await bench.keks(database);
    const tokensFile = await issueJwts(keks, database, TOKENS);
    if (tokensFile === undefined) return skipped('this Keks does not issue JWTs');
    const api = await startApi(bench, keks, database);
    const [guarded, open] = [cookies(api, tokensFile), unguarded(api)];
    // what a request with a token costs Node and Nest, whoever looks at it
    const unread = cookies(api, tokensFile, { path: '/unguarded' });
    await bench.load({ ...guarded, milliseconds: 3_000 });
    const before = await commits(database.url);
    const seen = await bench.interleaved(
      {
        lease: () => bench.load(guarded),
        unguarded: () => bench.load(open),
        unread: () => bench.load(unread),
      },
      [guarded, open, unread],
    );
    const requests = seen.lease.reduce((sum, one) => sum + one.requests, 0);
    const perMillion = ((await commits(database.url)) - before) / (requests / 1e6);
    const megabytes = await memoryOf(api, database);
    await bench.stop(api);
    await bench.stop(keks);
    const { ratio, details } = compare(['lease', seen.lease], ['unguarded', seen.unguarded]);
    const beside = compare(['lease', seen.lease], ['unread', seen.unread]);
    return {
      result: `${spread(ratio)}; ${spread(beside.ratio)} of the unguarded route with the same token; ${perMillion.toFixed(0)} statements a million; ${megabytes.toFixed(1)} MB for ${ENTRIES} entries`,
      note: `${rate(throughput(seen.lease))} of ${rate(throughput(seen.unguarded))}`,
      details: { ...details, sameToken: { ...beside.details }, perMillion, megabytes, entries: ENTRIES },
    };
  },
};

export function startApi(
  bench: Bench,
  keks: Program,
  { url, tokensFile }: FilledDatabase,
  extra: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const [credentials = ''] = readFileSync(`${tokensFile}.jwt-clients`, 'utf8').split('\n');
  return bench.start({
    file: join(DIST, 'bench/guarded-api.js'),
    nodeArguments: [...KEKS_ARGUMENTS, '--expose-gc'],
    environment: {
      NODE_ENV: 'production',
      AUTHORITY: `http://127.0.0.1:${keks.port}`,
      ISSUER: environment(url)['ISSUER'] ?? '',
      CREDENTIALS: credentials,
      ...extra,
    },
    path: '/unguarded',
  });
}

/** @returns megabytes that the entries take, once the guard has all of them */
async function memoryOf({ port }: Program, { url }: FilledDatabase): Promise<number> {
  const held = async (): Promise<Held> =>
    (await (await fetch(`http://127.0.0.1:${port}/lease`)).json()) as Held;
  const before = await held();
  await withClient(url, (client) =>
    client.query(
      `INSERT INTO revocations (kind, value, expires_at)
       SELECT 'token', translate(encode(sha256(n::text::bytea), 'base64'), '+/=', '-_'), now() + interval '1 day'
         FROM generate_series(1, $1::int) n`,
      [ENTRIES],
    ),
  );
  let after = await held();
  while (after.entries < before.entries + ENTRIES) {
    await sleep(200);
    after = await held();
  }
  await sleep(1_000);
  after = await held();
  return (after.bytes - before.bytes) / MEGABYTE;
}
