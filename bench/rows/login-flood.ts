import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { PASSWORD } from '../harness/fill.js';
import type { Row } from '../harness/row.js';

const SECONDS = 20;
const EVERY_MS = 300;
const OTHERS = 40;

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

/** Not a figure of the table: what others' logins wait for while 75 connections log in without a pause. */
export const loginFlood: Row = {
  name: 'login-flood',
  number: 0,
  what: 'logins of others, one every 0.3 s, while 75 connections log in without a pause: the slowest of a hundred',
  reach: '',
  aim: '2 s',
  async run(bench) {
    const database = await bench.database(1_000);
    const told: string[] = [];
    for (const [name, login] of Object.entries({ none: undefined, ...FLOODS })) {
      const keks = await bench.keks(database, [], { TRUST_PROXY: 'loopback' });
      const { times, refused, flood } = await flooded(keks.port, login);
      await bench.stop(keks);
      const p99 = times[Math.ceil(times.length * 0.99) - 1] ?? 0;
      told.push(
        `${name}: p99 ${p99.toFixed(0)} ms of ${times.length}, ${refused} refused, ${flood} of the flood served`,
      );
    }
    return { result: told.join('; '), note: '', details: {} };
  },
};

async function flooded(port: number, login: ((connection: number) => Login) | undefined) {
  const agent = new Agent({ keepAlive: true });
  const state = { over: false, served: 0, refused: 0 };
  const flood = Array.from({ length: login ? 75 : 0 }, async (_, n) => {
    while (!state.over) if ((await send(port, agent, login!(n))) === 200) state.served += 1;
  });
  await sleep(2_000);
  const before = state.served;
  const times: number[] = [];
  const others: Promise<void>[] = [];
  for (let n = 0; n < (SECONDS * 1_000) / EVERY_MS; n += 1) {
    const from = `192.0.2.${n % OTHERS}`;
    others.push(other(port, agent, { user: `user${200 + (n % OTHERS)}`, password: PASSWORD, from }));
    await sleep(EVERY_MS);
  }
  await Promise.all(others);
  const served = state.served - before;
  state.over = true;
  await Promise.all(flood);
  agent.destroy();
  return { times: times.sort((a, b) => a - b), refused: state.refused, flood: served };

  async function other(...asked: Parameters<typeof send>): Promise<void> {
    const began = performance.now();
    if ((await send(...asked)) === 200) times.push(performance.now() - began);
    else state.refused += 1;
  }
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
