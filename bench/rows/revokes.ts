import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, FilledDatabase } from '../harness/bench.js';
import { askFeed, newName } from '../harness/feed-guards.js';
import { startGuards, type Guards } from '../harness/guards.js';
import { commits } from '../harness/postgres.js';
import type { Program } from '../harness/process.js';
import { say } from '../harness/progress.js';
import type { Row } from '../harness/row.js';
import { issueJwts } from './jwt.js';

const REVOKES = 200;
const REVOKES_WITH_ONE_THAT_HANGS = 8;
const PAUSE_MS = 20;
const GUARDS = [0, 1, 10, 50];

interface Seen {
  readonly p50: number;
  readonly p99: number;
  /** Of the server, in milliseconds of CPU a revoke. */
  readonly serverMs: number;
  /** Of the process in which the guards are simulated: on two cores it takes this from the others. */
  readonly guardsMs: number;
  /** Committed to PostgreSQL a revoke, whatever the feed asked meanwhile included. */
  readonly statements: number;
}

/** One revoke of a JWT after the other, acknowledged by so many guards. */
export const revokes: Row = {
  name: 'revokes',
  number: 11,
  what: '`POST /revoke` of a JWT with 0, 1, 10 and 50 guards, and with one that hangs: p50 and p99 in milliseconds',
  reach: '50 guards: 10 and 50',
  aim: '5 and 20',
  async run(bench) {
    const database = await bench.database(Math.min(bench.options.tokens, 10_000));
    const [credentials = ''] = readFileSync(`${database.tokensFile}.jwt-clients`, 'utf8').split('\n');
    const details: Record<string, Seen> = {};
    for (const count of GUARDS) {
      const keks = await bench.keks(database);
      const guards = await startGuards({ port: keks.port, count, credentials });
      const seen = await measureRevokes(keks, database, guards);
      await guards.stop();
      await bench.stop(keks);
      details[`${count} guards`] = seen;
      say(`  ${count} guards: ${JSON.stringify(seen)}`);
    }
    details['one that hangs'] = await withOneThatHangs(bench, database, credentials);
    const told = Object.entries(details).map(
      ([name, { p50, p99 }]) => `${name} ${p50.toFixed(1)} and ${p99.toFixed(1)}`,
    );
    const many = details['50 guards'];
    const note = `50 guards: ${many?.serverMs.toFixed(1)} ms of the server's CPU, ${many?.guardsMs.toFixed(1)} of the guards' and ${many?.statements.toFixed(1)} statements a revoke`;
    return { result: told.join('; '), note, details: { ...details } };
  },
};

/** One after the other, with a pause. */
export async function measureRevokes(
  keks: Program,
  database: FilledDatabase,
  guards: Guards,
  count = REVOKES,
): Promise<Seen> {
  const tokens = await jwts(keks, database, count + 20);
  for (const token of tokens.splice(0, 20)) await revoke(keks, token);
  const before = { statements: await commits(database.url), cpu: keks.cpu() ?? Number.NaN };
  await guards.report();
  const times: number[] = [];
  for (const token of tokens) {
    times.push(await revoke(keks, token));
    await sleep(PAUSE_MS);
  }
  const cpu = (keks.cpu() ?? Number.NaN) - before.cpu;
  const simulated = await guards.report();
  const statements = (await commits(database.url)) - before.statements;
  const aRevoke = (seconds: number): number => (seconds * 1_000) / count;
  return {
    ...percentiles(times),
    serverMs: aRevoke(cpu),
    guardsMs: aRevoke(simulated.cpu),
    statements: statements / count,
  };
}

/** It has just got a lease, and is not heard of again. */
async function withOneThatHangs(bench: Bench, database: FilledDatabase, credentials: string): Promise<Seen> {
  const keks = await bench.keks(database);
  const tokens = await jwts(keks, database, REVOKES_WITH_ONE_THAT_HANGS);
  const times: number[] = [];
  for (const token of tokens) {
    const [agent, guard] = [new Agent({ keepAlive: true }), newName()];
    let cursor: string | undefined;
    for (let lease = 0; lease === 0;) {
      const answer = await askFeed({ port: keks.port, credentials }, agent, guard, cursor);
      [cursor, lease] = [answer.cursor, answer.lease_ms];
    }
    times.push(await revoke(keks, token));
    agent.destroy();
  }
  await bench.stop(keks);
  return { ...percentiles(times), serverMs: Number.NaN, guardsMs: Number.NaN, statements: Number.NaN };
}

async function jwts(keks: Program, database: FilledDatabase, count: number): Promise<string[]> {
  const file = await issueJwts(keks, database, count);
  return file === undefined ? [] : readFileSync(file, 'utf8').split('\n').slice(0, count);
}

/** @returns milliseconds */
async function revoke({ port }: Program, token: string): Promise<number> {
  const began = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/revoke`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`a revoke was answered ${answer.status}`);
  return performance.now() - began;
}

function percentiles(times: readonly number[]): { p50: number; p99: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
