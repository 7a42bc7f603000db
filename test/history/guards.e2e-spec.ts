import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { addClient, type TestClient } from '../support/oauth.js';
import { freePort } from '../support/process.js';
import { loose } from '../support/program.js';
import { environment, PASSWORD, PATIENTLY, post, startTestApp, type TestApp } from '../support/test-app.js';
import { watchOutput } from '../support/watch.js';
import { Link } from './link.js';
import { Random } from './random.js';

const SECONDS = Number(process.env.GUARDS_SECONDS ?? 6);
const SEED = Number(process.env.TORTURE_SEED ?? Date.now() % 1_000_000);
const PATIENCE_MS = 90_000;
const LEASE_MS = 1_000;
const ISSUER = 'http://127.0.0.1:3000';

type Verdict = 'active' | 'refused' | 'nothing';
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A guard in a process of its own, with a link of its own to one server. */
class Guard {
  private child: ChildProcess | undefined;
  private readonly waiting = new Map<number, (verdict: Verdict) => void>();
  private last = 0;

  constructor(
    readonly link: Link,
    private readonly api: TestClient,
  ) {}

  async start(): Promise<void> {
    const url = `http://127.0.0.1:${this.link.port}`;
    const options = {
      issuer: ISSUER,
      audience: ISSUER,
      jwksUri: `${url}/.well-known/jwks.json`,
      introspectionEndpoint: `${url}/oauth/introspect`,
      revocationsEndpoint: `${url}/oauth/revocations`,
      clientId: this.api.clientId,
      clientSecret: this.api.clientSecret,
      timeoutMs: 3_000,
    };
    const script = new URL('./guard.mjs', import.meta.url);
    this.child = fork(script, {
      env: { PATH: process.env.PATH, GUARD: JSON.stringify(options) },
      execArgv: [],
    });
    this.child.on('message', ({ id, verdict }: { id: number; verdict: Verdict }) => {
      this.waiting.get(id)?.(verdict);
      this.waiting.delete(id);
    });
    await once(this.child, 'message');
  }

  /** `nothing` from one that is killed before it answers. */
  ask(message: { token: string } | { mistake: string }): Promise<Verdict> {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.child?.send({ id, ...message }, () => undefined);
    });
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    for (const resolve of this.waiting.values()) resolve('nothing');
    this.waiting.clear();
  }

  async pause(ms: number): Promise<void> {
    this.child?.kill('SIGSTOP');
    await sleep(ms);
    this.child?.kill('SIGCONT');
  }
}

const FAULTS: Record<string, (guard: Guard) => Promise<void>> = {
  pause: (guard) => guard.pause(LEASE_MS * 1.5),
  'cut link': async ({ link }) => {
    link.cut();
    await sleep(LEASE_MS * 1.5);
    link.heal();
  },
  'black hole': async ({ link }) => {
    link.blackHole();
    await sleep(LEASE_MS * 1.5);
    link.heal();
  },
  'slow link': async ({ link }) => {
    link.delay(300);
    await sleep(LEASE_MS * 1.5);
    link.heal();
  },
  'held link': async ({ link }) => {
    link.pause();
    await sleep(LEASE_MS * 1.5);
    link.resume();
    await sleep(300);
    link.heal();
  },
  'kill -9': (guard) => guard.restart(),
};

describe('guards with leases, in processes of their own', () => {
  let keks: TestApp;
  let database: TestDatabase;
  const servers: { readonly url: string; readonly child: ChildProcess }[] = [];
  const guards: Guard[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    keks = await startTestApp({}, database);
    await keks.addUser('Ann');
    const api = await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] });
    await Promise.all([startServer(), startServer()]);
    for (const at of [0, 0, 1]) {
      const guard = new Guard(await Link.open(() => Number(new URL(servers[at]?.url ?? '').port)), api);
      await guard.start();
      guards.push(guard);
    }
  });

  afterAll(async () => {
    for (const guard of guards) {
      await guard.stop();
      await guard.link.close();
    }
    for (const { child } of servers) child.kill('SIGKILL');
    await keks.close();
  });

  async function startServer(): Promise<void> {
    const port = await freePort();
    const preload = new URL('./mistakes.mjs', import.meta.url).href;
    const env = environment(database.url, { PORT: String(port), LOG_LEVEL: 'error', LEASE_TTL: '1s' });
    const child = spawn(process.execPath, ['--import', preload, loose('main')], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const hear = watchOutput(`server with guards, process ${child.pid}`);
    child.stdout?.on('data', (chunk: Buffer) => hear(chunk.toString()));
    const url = `http://127.0.0.1:${port}`;
    servers.push({ url, child });
    await vi.waitFor(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200), PATIENTLY);
  }

  const tell = (mistake: string): Promise<unknown> =>
    Promise.all(
      servers.map(({ child }) => {
        const heard = once(child, 'message');
        child.send(mistake);
        return heard;
      }),
    );

  interface Outcome {
    readonly accepted: number;
    readonly refused: number;
    readonly nothing: number;
    /** Accepted although the revoke had been acknowledged before the question was sent. */
    readonly stale: number;
    /** Refused although nobody had revoked it. */
    readonly lost: number;
    readonly revokes: number;
  }

  async function play(
    random: Random,
    faults: readonly string[],
    isOver: (so: Outcome) => boolean,
  ): Promise<Outcome> {
    const so = { accepted: 0, refused: 0, nothing: 0, stale: 0, lost: 0, revokes: 0 };
    const dead: string[] = [];
    const ending = new Set<string>();
    const count = (verdict: Verdict): void => {
      if (verdict === 'active') so.accepted += 1;
      else so[verdict] += 1;
    };
    const look = async (guard: Guard, token: string): Promise<void> => {
      const mustBeDead = dead.includes(token);
      const verdict = await guard.ask({ token });
      count(verdict);
      if (mustBeDead && verdict === 'active') so.stale += 1;
      // one that has been paused answers when the revoke has begun
      if (!ending.has(token) && verdict === 'refused') so.lost += 1;
    };
    const server = (): string => random.pick(servers)?.url ?? '';
    const work = async (): Promise<void> => {
      while (!isOver(so)) {
        const refreshed = random.next() < 0.3;
        const body = {
          user: 'Ann',
          password: PASSWORD,
          format: 'jwt',
          ...(refreshed && { scope: 'offline_access' }),
        };
        const issued = (await post(server(), '/issue', body)).body as {
          token: string;
          refresh_token?: string;
        };
        const { token } = issued;
        // a guard that is paused answers late, and is not waited for
        await Promise.race([Promise.all(guards.map((guard) => look(guard, token))), sleep(200)]);
        const noise = guards.map((guard) => look(guard, token));
        ending.add(token);
        const { status } = await post(server(), '/revoke', { token: issued.refresh_token ?? token });
        if (status !== 200) continue;
        so.revokes += 1;
        dead.push(token);
        const late = guards.flatMap((guard) =>
          [token, random.pick(dead) ?? token].map((one) => look(guard, one)),
        );
        await Promise.race([Promise.all([...noise, ...late]), sleep(200)]);
      }
    };
    const breakThings = async (): Promise<void> => {
      while (!isOver(so) && faults.length > 0) {
        const guard = random.pick(guards);
        if (guard) await FAULTS[random.pick(faults) ?? '']?.(guard);
        await sleep(random.between(50, 400));
      }
    };
    await Promise.all([work(), work(), work(), work(), breakThings()]);
    return so;
  }

  it(`accept nothing that was revoked, whatever breaks (seed ${SEED})`, async () => {
    const end = performance.now() + SECONDS * 1_000;
    const outcome = await play(
      new Random(SEED),
      Object.keys(FAULTS),
      ({ accepted }) => performance.now() > end && accepted > 50,
    );
    process.stdout.write(`  ${JSON.stringify(outcome)} (seed ${SEED})\n`);
    expect([outcome.stale, outcome.lost]).toEqual([0, 0]);
    expect(outcome.revokes).toBeGreaterThan(10);
  });

  describe('are told from guards with a mistake', { timeout: PATIENCE_MS + 60_000 }, () => {
    async function isFound(faults: readonly string[]): Promise<void> {
      const end = performance.now() + PATIENCE_MS;
      const outcome = await play(
        new Random(SEED),
        faults,
        ({ stale }) => stale > 0 || performance.now() > end,
      );
      expect(outcome.stale).toBeGreaterThan(0);
    }

    it.each([
      ['untold-guards', []],
      ['sent-is-applied', ['slow link']],
      ['no-tombstones', ['kill -9']],
    ])('%s, in the servers', async (mistake, faults) => {
      await tell(mistake);
      await isFound(faults);
      await tell('none');
      await database.client.query('TRUNCATE guard_leases');
    });

    it.each([
      ['stamped-at-the-reply', ['held link']],
      ['no-end-of-the-lease', ['cut link']],
      ['extended-by-use', ['cut link']],
    ])('%s, in the guards', async (mistake, faults) => {
      await Promise.all(guards.map((guard) => guard.restart()));
      await Promise.all(guards.map((guard) => guard.ask({ mistake })));
      await isFound(faults);
      for (const { link } of guards) link.heal();
    });
  });
});
