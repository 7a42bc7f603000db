import { writeFileSync } from 'node:fs';
import { digestOf, mintToken, type Prefix } from '../../src/auth/tokens/token-format.js';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { loadConfig } from '../../src/config/config.js';
import { cookies, type Ask, type Bench, type FilledDatabase } from '../harness/bench.js';
import { environment, PASSWORD } from '../harness/fill.js';
import type { LoadResult } from '../harness/load.plan.js';
import { firstLine } from '../harness/peer.js';
import { withClient } from '../harness/postgres.js';
import { used, type Used } from '../harness/postgres-cost.js';
import type { Program } from '../harness/process.js';
import { say } from '../harness/progress.js';
import { digest, spread, type Row } from '../harness/row.js';
import { figure, type Figure } from '../harness/statistics.js';
import { tokenRequests } from './client-credentials.js';
import { introspections } from './introspect.js';

/** Tokens that a round of refreshes or revokes uses up. */
const ONCE = 20_000;
const ONCE_WITHIN_MS = 60_000;
const HOUR = 3_600;
const LOGINS_AT_ONCE = 8;

/** What one request costs the primary. */
interface Cost {
  readonly postgresMicroseconds: number;
  readonly walBytes: number;
  readonly fullPages: number;
  readonly transactions: number;
  readonly rows: number;
}

/** Not a figure of the table: what a primary can carry is what it has, divided by this. */
export const primary: Row = {
  name: 'primary',
  number: 0,
  what: 'what each kind of request costs PostgreSQL: microseconds of its CPU, bytes of its log, transactions, rows',
  reach: '',
  aim: '',
  async run(bench) {
    const database = await bench.database();
    const keks = await bench.keks(database);
    const told: string[] = [];
    const details: Record<string, unknown> = {};
    for (const [name, ask] of Object.entries(kinds(keks, database))) {
      const [results, costs] = await measure(bench, database, ask);
      const cost = Object.fromEntries(
        (Object.keys(costs[0]!) as (keyof Cost)[]).map((one) => [
          one,
          figure(costs.map((each) => each[one])),
        ]),
      ) as Record<keyof Cost, Figure>;
      details[name] = { ...cost, ...digest(results) };
      say(`  ${name}: ${brief(cost, results)}`);
      told.push(`${name} ${cost.postgresMicroseconds.median.toFixed(0)} us`);
    }
    await bench.stop(keks);
    return { result: told.join('; '), note: 'of PostgreSQL’s CPU a request', details };
  },
};

/** Given the round, because some use up what they ask with. */
type Asking = (round: number) => Promise<Ask>;

function kinds(keks: Program, database: FilledDatabase): Record<string, Asking> {
  const clients = `${database.tokensFile}.clients`;
  const guarded = cookies(keks, database.tokensFile);
  return {
    validate: async () => guarded,
    'validate, one at a time': async () => ({ ...guarded, connections: 1 }),
    introspect: async () =>
      introspections(keks.port, '/oauth/introspect', firstLine(clients), database.tokensFile),
    "a client's token": async () => tokenRequests(keks.port, '/oauth/token', clients),
    "a client's token, one at a time": async () => ({
      ...tokenRequests(keks.port, '/oauth/token', clients),
      connections: 1,
    }),
    refresh: async (round) => ({
      ...once(keks, await newTokens(database, 'krt_', ADD_REFRESH_TOKENS, round)),
      path: '/oauth/token',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=refresh_token&refresh_token={}',
    }),
    revoke: async (round) => ({
      ...once(keks, await newTokens(database, 'kat_', ADD_ACCESS_TOKENS, round)),
      path: '/revoke',
      headers: { 'Content-Type': 'application/json' },
      body: '{"token":"{}"}',
    }),
    login: async () => ({
      port: keks.port,
      method: 'POST',
      path: '/issue',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user: 'user1', password: PASSWORD }),
      connections: LOGINS_AT_ONCE,
      expect: 200,
    }),
  };
}

const once = (keks: Program, valuesFile: string) =>
  ({
    port: keks.port,
    method: 'POST',
    valuesFile,
    once: true,
    milliseconds: ONCE_WITHIN_MS,
    expect: 200,
  }) as const;

async function measure(
  bench: Bench,
  { url }: FilledDatabase,
  asking: Asking,
): Promise<[LoadResult[], Cost[]]> {
  const results: LoadResult[] = [];
  const costs: Cost[] = [];
  // the first round warms up, and is not counted
  for (let round = 0; round <= bench.options.rounds; round += 1) {
    const ask = await asking(round);
    const before = await used(url);
    const result = await bench.load(ask);
    const cost = difference(before, await used(url), result.requests - result.unavailable);
    if (round === 0) continue;
    results.push(result);
    costs.push(cost);
  }
  return [results, costs];
}

function difference(before: Used, after: Used, requests: number): Cost {
  const each = (of: keyof Used): number => (after[of] - before[of]) / requests;
  return {
    postgresMicroseconds: each('cpu') * 1e6,
    walBytes: each('walBytes'),
    fullPages: each('fullPages'),
    transactions: each('transactions'),
    rows: each('rows'),
  };
}

function brief(cost: Record<keyof Cost, Figure>, results: readonly LoadResult[]): string {
  const { postgresMicroseconds: cpu, walBytes, fullPages, transactions, rows } = cost;
  const { perSecond, serverMicroseconds } = digest(results);
  const told = [
    `${spread(cpu, 0)} us of PostgreSQL`,
    `${serverMicroseconds?.median.toFixed(0)} us of the server`,
    `${spread(walBytes, 0)} bytes of log with ${fullPages.median.toFixed(3)} whole pages`,
    `${transactions.median.toFixed(2)} transactions`,
    `${rows.median.toFixed(2)} rows`,
    `${Math.round(perSecond!.median)}/s`,
  ];
  return told.join(', ');
}

/** Living ones, each of the next grant. @returns the file with their texts */
async function newTokens(
  { url, tokensFile }: FilledDatabase,
  prefix: Prefix,
  add: string,
  round: number,
): Promise<string> {
  const config = loadConfig(environment(url));
  const key = new TokenKeys(config).current;
  const expiresAt = Math.floor(Date.now() / 1_000) + 2 * HOUR;
  const tokens = Array.from({ length: ONCE }, () => mintToken(prefix, expiresAt, key));
  await withClient(url, (client) =>
    client.query(add, [tokens.map(digestOf), new Date(expiresAt * 1_000), config.ISSUER]),
  );
  const file = `${tokensFile}.${prefix}${round}`;
  writeFileSync(file, tokens.join('\n'));
  return file;
}

const GRANT = `FROM (SELECT digest, at, (SELECT count(*) FROM grants WHERE revoked_at IS NULL AND kind = 'login') AS grants
          FROM unnest($1::bytea[]) WITH ORDINALITY AS one (digest, at)) AS t
    JOIN grants g ON g.id = md5('grant' || 1 + at % grants)::uuid`;

const ADD_REFRESH_TOKENS = `
  INSERT INTO refresh_tokens (digest, expires_at, grant_id, scope, audience, format)
  SELECT digest, $2, g.id, g.scope, $3, 'opaque' ${GRANT}`;

const ADD_ACCESS_TOKENS = `
  INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, scope, audience, format)
  SELECT digest, $2, g.id, g.user_id, g.scope, $3, 'opaque' ${GRANT}`;
