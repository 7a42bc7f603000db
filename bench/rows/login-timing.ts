import pg from 'pg';
import { PasswordHash } from '../../src/auth/users/password-hash.js';
import { loadConfig } from '../../src/config/config.js';
import { connectionOf } from '../../src/database/pools.js';
import { environment, PASSWORD } from '../harness/fill.js';
import { progress } from '../harness/progress.js';
import type { Row } from '../harness/row.js';
import { compareSamples } from '../harness/samples.js';
import { figure } from '../harness/statistics.js';

/** Of each account. */
const ATTEMPTS = 60;
/** The least that is allowed: what is not bcrypt shows the better, and the row is done in minutes. */
const BCRYPT_COST = 10;
const ACCOUNTS = 8;
const KINDS = ['unknown', 'disabled', 'wrong'] as const;
type Kind = (typeof KINDS)[number];

/** Not a figure of the table: whether the time of a refused login tells whether somebody is there. */
export const loginTiming: Row = {
  name: 'login-timing',
  number: 0,
  what: 'times of logins with an unknown name, a disabled account and a wrong password: the same distribution?',
  reach: '',
  aim: '',
  async run(bench) {
    const database = await bench.database(1_000);
    const config = { ...loadConfig(environment(database.url)), BCRYPT_COST };
    const admin = new pg.Client(connectionOf(database.url));
    await admin.connect();
    // of the cost in use: a hash of another is as slow as it was made, until its user logs in
    await admin.query('UPDATE users SET password_hash = $1', [await new PasswordHash(config).make(PASSWORD)]);
    await admin.query('UPDATE users SET disabled_at = now() WHERE name = ANY ($1)', [names('disabled')]);
    await admin.end();
    const extra = {
      BCRYPT_COST: String(BCRYPT_COST),
      LOGIN_FAILURES_PER_ACCOUNT: '1000',
      LOGIN_FAILURES_PER_ADDRESS: '100000',
      LOGIN_FAILURES_IN_A_ROW: '10000',
    };
    const keks = await bench.keks(database, [], extra);
    const milliseconds = await sample(`http://127.0.0.1:${keks.port}`);
    await bench.stop(keks);
    const pairs = [
      ['unknown', 'wrong'],
      ['disabled', 'wrong'],
      ['unknown', 'disabled'],
    ] as const;
    const compared = pairs.map(([one, other]) => {
      return { one, other, ...compareSamples(milliseconds[one], milliseconds[other]) };
    });
    const told = compared.map(
      ({ one, other, distance, distanceP, shiftP, oftenLonger }) =>
        `${one}/${other}: longer in ${(oftenLonger * 100).toFixed(1)}% of pairs (p ${shiftP.toFixed(3)}), ` +
        `distance ${distance.toFixed(3)} (p ${distanceP.toFixed(3)})`,
    );
    const least = Math.min(...compared.flatMap(({ distanceP, shiftP }) => [distanceP, shiftP]));
    const medians = KINDS.map((kind) => `${kind} ${figure(milliseconds[kind]).median.toFixed(2)} ms`);
    return {
      // six tests at once: one of them is below 0.05 / 6 by chance in one run of twenty
      result: `${least < 0.05 / 6 ? 'they differ' : 'no difference is seen'} in ${ATTEMPTS * ACCOUNTS} of each`,
      note: `medians: ${medians.join(', ')}; ${told.join('; ')}`,
      details: {
        compared,
        ...Object.fromEntries(KINDS.map((kind) => [kind, { ...figure(milliseconds[kind]), rounds: [] }])),
      },
    };
  },
};

/** One after the other and in turn, so that what disturbs one kind disturbs all; the first round is not counted. */
async function sample(url: string): Promise<Record<Kind, number[]>> {
  const seen: Record<Kind, number[]> = { unknown: [], disabled: [], wrong: [] };
  for (let round = 0; round <= ATTEMPTS; round += 1) {
    progress(`${round} of ${ATTEMPTS} rounds`);
    for (let account = 0; account < ACCOUNTS; account += 1) {
      // nobody is always the first to come
      const order = KINDS.map((_, at) => KINDS[(at + round + account) % KINDS.length]!);
      for (const kind of order) {
        const ms = await refusedLogin(url, names(kind)[account]!);
        if (round > 0) seen[kind].push(ms);
      }
    }
  }
  return seen;
}

/** Nothing but the digits differs. */
function names(kind: Kind): string[] {
  const from = { unknown: 90_001, disabled: 1, wrong: 1 + ACCOUNTS }[kind];
  return Array.from({ length: ACCOUNTS }, (_, at) => `user${from + at}`);
}

async function refusedLogin(url: string, user: string): Promise<number> {
  const body = JSON.stringify({ user, password: 'nine green waffles over a red sea' });
  const began = performance.now();
  const answer = await fetch(`${url}/issue`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  await answer.arrayBuffer();
  const ms = performance.now() - began;
  if (answer.status !== 401) throw new Error(`POST /issue answered ${answer.status}`);
  return ms;
}
