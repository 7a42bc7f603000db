import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { PASSWORD } from '../harness/fill.js';
import type { Row } from '../harness/row.js';

/** One login every 0.9 s, where each takes 0.3 s of a core: a hundred of them. */
const SECONDS = 90;
/** Of what the server can do, the others ask for a third: what is more would wait for themselves. */
const PART = 3;
const EVERY_MS_LEAST = 300;
const OTHERS = 40;
const CONNECTIONS = 75;

interface Login {
  readonly user: string;
  readonly password: string;
  readonly from: string;
}

const FLOODS: Readonly<Record<string, (connection: number) => Login>> = {
  'one account': () => ({ user: 'user1', password: PASSWORD, from: '10.0.0.1' }),
  'one account, 36 networks': (n) => ({ user: 'user1', password: PASSWORD, from: `10.0.1.${n % 36}` }),
  'accounts and networks, 36 each': (n) => ({
    user: `user${(n % 36) + 1}`,
    password: PASSWORD,
    from: `10.0.2.${n % 36}`,
  }),
};

type Other = 'known' | 'new';

/** Not a figure of the table: what others' logins wait for while 75 connections log in without a pause. */
export const loginFlood: Row = {
  name: 'login-flood',
  number: 0,
  what: 'logins of others while 75 connections log in without a pause: the slowest of a hundred, of those who have logged in before and of those who are new',
  reach: '',
  aim: '2 s',
  async run(bench) {
    const database = await bench.database(1_000);
    const told: string[] = [];
    for (const [at, [name, login]] of Object.entries({ none: undefined, ...FLOODS }).entries()) {
      // without the rate for right logins, which ends a flood of one account after 300
      const settings = { TRUST_PROXY: 'loopback', LOGINS_PER_ACCOUNT: '100000' };
      const keks = await bench.keks(database, [], settings);
      told.push(`${name}: ${await flooded(keks.port, login, `192.0.${at}`)}`);
      await bench.stop(keks);
    }
    return { result: told.join('; '), note: '', details: {} };
  },
};

/** @param from where the others come from: nobody has been seen there before */
async function flooded(
  port: number,
  login: ((connection: number) => Login) | undefined,
  from: string,
): Promise<string> {
  const agent = new Agent({ keepAlive: true });
  const others = Array.from({ length: OTHERS }, (_, n) => ({
    user: `user${200 + n}`,
    password: PASSWORD,
    from: `${from}.${n}`,
  }));
  // every second one has logged in before
  const familiar = others.filter((_, n) => n % 2 === 0);
  const began = performance.now();
  for (const one of familiar) await send(port, agent, one);
  const everyMs = Math.max(EVERY_MS_LEAST, (PART * (performance.now() - began)) / familiar.length);

  const state = { over: false, served: 0 };
  const flood = Array.from({ length: login ? CONNECTIONS : 0 }, async (_, n) => {
    while (!state.over) if ((await send(port, agent, login!(n))) === 200) state.served += 1;
  });
  // a flood's first turns are as good as anybody's
  while (flood.length > state.served) await sleep(100);
  const before = state.served;
  const times: Record<Other, number[]> = { known: [], new: [] };
  const refused = new Map<number, number>();
  const sent: Promise<void>[] = [];
  for (let n = 0; n < (SECONDS * 1_000) / everyMs; n += 1) {
    sent.push(other(n));
    await sleep(everyMs);
  }
  await Promise.all(sent);
  const served = state.served - before;
  state.over = true;
  await Promise.all(flood);
  agent.destroy();
  const not = [...refused].map(([status, count]) => `${count} answered ${status || 'not at all'}`);
  return `p99 ${p99(times.known)} known, ${p99(times.new)} new, one every ${everyMs.toFixed(0)} ms, ${not.join(', ') || 'none refused'}, ${served} of the flood served`;

  async function other(n: number): Promise<void> {
    const at = performance.now();
    const status = await send(port, agent, others[n % OTHERS]!);
    if (status === 200) times[n % 2 === 0 ? 'known' : 'new'].push(performance.now() - at);
    else refused.set(status, (refused.get(status) ?? 0) + 1);
  }
}

function p99(times: number[]): string {
  const sorted = times.sort((a, b) => a - b);
  return `${(sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0).toFixed(0)} ms of ${sorted.length}`;
}

function send(port: number, agent: Agent, { user, password, from }: Login): Promise<number> {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': from };
  return new Promise((resolve) => {
    const sent = request({ port, agent, path: '/issue', method: 'POST', headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', () => resolve(0)).end(JSON.stringify({ user, password }));
  });
}
