import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Database } from '../../src/database/database.js';
import { Unavailable } from '../../src/http/errors/unavailable.js';
import { Link } from '../history/link.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { Machine } from '../support/machine.js';
import { Questions, timed, type Ask, type Timed } from '../support/questions.js';
import {
  AS_SHIPPED,
  get,
  PASSWORD,
  post,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let database: TestDatabase;
let link: Link;
let machine: Machine;
let keks: TestApp;
let questions: Questions;

beforeAll(async () => {
  database = await createDatabase();
  const { pathname, searchParams } = new URL(database.url);
  const port = new URL(database.url).port || searchParams.get('port') || '5432';
  link = await Link.open(() => `${searchParams.get('host')}/.s.PGSQL.${port}`);
  machine = await Machine.watch();
  const url = `postgresql://keks@127.0.0.1:${link.port}${pathname}`;
  keks = await startTestApp({ ...AS_SHIPPED, LOG_LEVEL: 'warn' }, { ...database, url });
  questions = await Questions.prepare(keks);
});

afterEach(async () => {
  link.heal();
  await recovery();
});

afterAll(async () => {
  await keks.close();
  await link.close();
  machine.stop();
});

/** Until the guard says yes again: milliseconds. */
async function recovery(): Promise<number> {
  const began = performance.now();
  while ((await questions.eat()).status !== 200) {
    if (performance.now() - began > 10_000) throw new Error('it does not recover');
    await sleep(20);
  }
  return performance.now() - began;
}

/** How often `/health/live` answers while something is going on, and how long it takes at most. */
async function livelinessDuring<T>(work: Promise<T>): Promise<{ result: T; answers: number; worst: number }> {
  const progress = { over: false };
  const settled = work.finally(() => (progress.over = true));
  let answers = 0;
  let worst = 0;
  while (!progress.over) {
    const { status, ms } = await timed('live', () => get(keks.url, '/health/live'));
    expect(status).toBe(200);
    answers += 1;
    worst = Math.max(worst, ms);
    await sleep(20);
  }
  return { result: await settled, answers, worst };
}

/** Where nothing is wrong, a busy machine may still be late once; what is broken is so each time. */
function ifLateAgain(ask: Ask): Ask {
  return async () => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await ask();
      if (answer.status !== 503 || attempt === 20) return answer;
      await sleep(50);
    }
  };
}

/** A second, and what the machine takes from everybody. */
function expectUnavailable(answers: readonly Timed[], most: number): void {
  const told = answers.map(({ name, status, headers }) => [name, status, headers.get('retry-after')]);
  expect(told).toEqual(answers.map(({ name }) => [name, 503, '1']));
  const slow = answers.filter(({ ms }) => ms > most).map(({ name, ms }) => [name, Math.round(ms)]);
  expect(slow).toEqual([]);
}

describe.each([
  ['cut', () => link.cut(), () => link.heal()],
  ['black-holed', () => link.blackHole(), () => link.heal()],
  ['paused', () => link.pause(), () => link.resume()],
  ['so slow that a query takes 3 s', () => link.delay(1_500), () => link.heal()],
])('while the link to the database is %s', (_, begin, end) => {
  it('everything that needs it is 503 within a second, /health/live answers, and all is well within 2 s of its end', async () => {
    const asks = Object.entries(await questions.all());
    const askAll = () => Promise.all(asks.map(([name, ask]) => timed(name, ask)));
    await machine.lateness();
    begin();
    // the first find connections that were good a moment ago, the second find none
    for (const _ of [1, 2]) {
      const { result, worst } = await livelinessDuring(askAll());
      const most = await machine.allowance(1_000);
      expectUnavailable(result, most);
      expect(worst).toBeLessThan(most);
    }
    end();
    const ms = await recovery();
    expect(ms).toBeLessThan(await machine.allowance(2_000));
    const after = await Promise.all(asks.map(([name, ask]) => timed(name, ifLateAgain(ask))));
    expect(after.filter(({ status }) => status >= 300).map(({ name, status }) => [name, status])).toEqual([]);
    expect((await ifLateAgain(questions.eat)()).status).toBe(200);
  });
});

describe('when many ask at once and nothing comes back', () => {
  it('queues are bounded in time: 300 requests are 503 within a second, and nothing is left waiting', async () => {
    const asks = Object.entries(await questions.all());
    const crowd = async (pick: (at: number) => [string, () => Promise<Answer>]) => {
      const began = performance.now();
      const sent = Array.from({ length: 300 }, (_, at) => timed(...pick(at)));
      const answers = await Promise.all(sent);
      return { answers, ms: performance.now() - began };
    };
    // this process sends as well as answers: what 300 requests cost where nobody waits for a database
    const idle = await crowd(() => ['live', () => get(keks.url, '/health/live')]);
    await machine.lateness();
    link.delay(1_500);
    const { answers, ms } = await crowd((at) => asks[at % asks.length]!);
    const most = await machine.allowance(1_000);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(ms).toBeLessThan(most + 4 * idle.ms);
    const { main, hot } = keks.app.get(Database).pools();
    // what runs once a second waits for a connection too, and gives up as others do
    const waiting = () => Object.values(keks.app.get(Database).pools()).map((pool) => pool.waiting);
    await expect.poll(waiting, { interval: 5 }).toEqual([0, 0]);
    expect([main.total <= 8, hot.total <= 6]).toEqual([true, true]);
  });

  it('who waits for a turn to log in hears of the fault too, and not one after the other', async () => {
    await machine.lateness();
    const logins = Array.from({ length: 100 }, () =>
      timed('login', () => post(keks.url, '/issue', { user: 'Ann', password: PASSWORD })),
    );
    await Promise.race(logins);
    const began = performance.now();
    link.blackHole();
    const answers = await Promise.all(logins);
    const ms = performance.now() - began;
    const most = await machine.allowance(1_000);
    // a busy machine may have had no connection for the very first either
    const statuses = new Set(answers.map(({ status }) => status));
    statuses.delete(200);
    expect(statuses).toEqual(new Set([503]));
    expect(ms).toBeLessThan(most);
  });

  it('a transaction whose connection falls silent is given up once, and not again for its rollback', async () => {
    await machine.lateness();
    const began = performance.now();
    const work = keks.app.get(Database).transaction(async (queries) => {
      link.blackHole();
      await queries.run({ name: 'silence', text: 'SELECT 1' });
    });
    await expect(work).rejects.toThrow(Unavailable);
    const took = performance.now() - began;
    expect(took).toBeLessThan(await machine.allowance(800));
  });
});

describe('when the connections for changes are all busy with statements that do not end', () => {
  it('changes are 503 within a second, and tokens are checked as ever', async () => {
    const { client } = database;
    const login = () => post(keks.url, '/issue', { user: 'Ann', password: PASSWORD });
    const logins = (ask: Ask) => Array.from({ length: 40 }, () => timed('login', ask));
    await client.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
    await machine.lateness();
    const waiting = Promise.all(logins(login));
    const checked = await Promise.all(
      Array.from({ length: 20 }, () => timed('guard', ifLateAgain(questions.eat))),
    );
    const answers = await waiting;
    await client.query('ROLLBACK');
    expectUnavailable(answers, await machine.allowance(1_000));
    expect(new Set(checked.map(({ status }) => status))).toEqual(new Set([200]));
    const after = await Promise.all(logins(ifLateAgain(login)));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('a change that waits too long for its turn', () => {
  /** A revoke that waits for a lock until it is refused, and whether the database is still at it then. */
  async function refusedRevoke(): Promise<{ token: string; answer: Timed; goesOn: boolean }> {
    const token = await keks.login('Ann');
    const { client } = database;
    await client.query('BEGIN');
    const lock = 'SELECT FROM access_tokens WHERE digest = sha256($1::bytea) FOR UPDATE';
    await client.query(lock, [Buffer.from(token)]);
    const answer = await timed('revoke', () => post(keks.url, '/revoke', { token }));
    const { rows } = await client.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%UPDATE access_tokens%'
          AND state = 'active' AND pid <> pg_backend_pid()`,
    );
    await client.query('COMMIT');
    return { token, answer, goesOn: rows.length > 0 };
  }

  it('is cancelled by the database before its 503 is sent: it has not happened', async () => {
    let one = await refusedRevoke();
    // where the machine is busy, the server may come too late with its 400 ms
    for (let tries = 1; one.goesOn && tries < 5; tries += 1) one = await refusedRevoke();
    expect([one.answer.status, one.goesOn]).toEqual([503, false]);
    expect((await get(keks.url, '/cookies', one.token)).status).toBe(200);
    expect((await post(keks.url, '/revoke', { token: one.token })).status).toBe(200);
    expect((await get(keks.url, '/cookies', one.token)).status).toBe(401);
  });
});

describe('the log of an outage', () => {
  it('says the same thing once a second, with a count, and not once a request', async () => {
    const from = keks.log.length;
    link.cut();
    for (let n = 0; n < 50; n += 1) {
      await questions.eat();
      await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD });
    }
    await sleep(1_100);
    const lines = keks.log.slice(from).map((line) => JSON.parse(line) as { msg: string; unsaid?: number });
    const guard = lines.filter(({ msg }) => msg.startsWith('no verdict'));
    const others = lines.filter(({ msg }) => msg === 'could not answer');
    for (const { length } of [guard, others]) {
      expect(length).toBeGreaterThanOrEqual(1);
      expect(length).toBeLessThan(20);
    }
    expect(guard.at(-1)?.msg).toMatch(/ \(and \d+ more\)$/);
    expect(others.at(-1)?.unsaid).toBeGreaterThan(0);
  });
});

describe('1,000 who go away before they are answered', () => {
  it('leave no connection to the database behind', async () => {
    const { token } = questions;
    const logged = keks.log.length;
    const { hostname, port } = new URL(keks.url);
    const body = JSON.stringify({ token: 'kat_nothing' });
    const requests = [
      `GET /cookies HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      `GET /sessions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      `POST /revoke HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      `POST /issue HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"user":`,
    ];
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 50 }, (_, nth) => {
          const socket = connect(Number(port), hostname);
          socket.on('error', () => undefined);
          socket.on('connect', () =>
            socket.write(requests[nth % requests.length] ?? '', () => socket.destroy()),
          );
          return new Promise((resolve) => socket.once('close', resolve));
        }),
      );
    const pools = () => keks.app.get(Database).pools();
    await vi.waitFor(
      () => {
        const { main, hot } = pools();
        expect([main.total - main.idle, main.waiting]).toEqual([0, 0]);
        expect([hot.total - hot.idle, hot.waiting]).toEqual([0, 0]);
      },
      { timeout: 10_000 },
    );
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    expect((await get(keks.url, '/sessions', token)).status).toBe(200);
    expect(keks.log.slice(logged).filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});
