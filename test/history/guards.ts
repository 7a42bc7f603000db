import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { connectionOf } from '../../src/database/pools.js';
import type { TestClient } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { loose } from '../support/program.js';
import { environment, ISSUER } from '../support/test-app.js';
import { watchOutput } from '../support/watch.js';
import { Link } from './link.js';

export const LEASE_MS = 1_000;

export type Verdict = 'active' | 'refused' | 'nothing';

/** A process of its own that can be killed and stopped in its tracks, and the link that it depends on. */
abstract class Part {
  protected child: ChildProcess | undefined;

  constructor(readonly link: Link) {}

  abstract start(): Promise<void>;

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
  }

  async pause(ms: number): Promise<void> {
    this.child?.kill('SIGSTOP');
    await sleep(ms);
    this.child?.kill('SIGCONT');
  }

  async close(): Promise<void> {
    await this.stop();
    await this.link.close();
  }
}

/** A server that gives leases, with a link of its own to the database. */
export class Authority extends Part {
  private port = 0;

  private constructor(
    link: Link,
    private readonly database: string,
  ) {
    super(link);
  }

  static async open(database: string): Promise<Authority> {
    const { host = '', port = 5432 } = connectionOf(database);
    const link = await Link.open(() => `${host}/.s.PGSQL.${port}`);
    const { pathname } = new URL(database);
    const authority = new Authority(link, `postgresql://keks@127.0.0.1:${link.port}${pathname}`);
    authority.port = await freePort();
    await authority.start();
    return authority;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const preload = new URL('./mistakes.mjs', import.meta.url).href;
    const settings = { PORT: String(this.port), LOG_LEVEL: 'error', LEASE_TTL: '1s' };
    const env = { PATH: process.env.PATH, ...environment(this.database, settings) };
    this.child = spawn(process.execPath, ['--import', preload, loose('main')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const hear = watchOutput(`server with guards, process ${this.child.pid}`);
    this.child.stdout?.on('data', (chunk: Buffer) => hear(chunk.toString()));
    await vi.waitFor(async () => expect((await fetch(`${this.url}/health/ready`)).status).toBe(200), {
      timeout: 280_000,
      interval: 50,
    });
  }

  /** It makes a mistake from now on, until it is killed. */
  async tell(mistake: string): Promise<void> {
    if (!this.child) throw new Error('a server is not there');
    const heard = once(this.child, 'message');
    this.child.send(mistake);
    await heard;
  }
}

/** A guard in a process of its own, with a link of its own to one server. */
export class Guard extends Part {
  private readonly waiting = new Map<number, (verdicts: readonly Verdict[]) => void>();
  private last = 0;

  private constructor(
    link: Link,
    private readonly api: TestClient,
  ) {
    super(link);
  }

  static async open(authority: Authority, api: TestClient): Promise<Guard> {
    const guard = new Guard(await Link.open(() => Number(new URL(authority.url).port)), api);
    await guard.start();
    return guard;
  }

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
    const env = { PATH: process.env.PATH, GUARD: JSON.stringify(options) };
    this.child = fork(new URL('./guard.mjs', import.meta.url), { env, execArgv: [] });
    this.child.on('message', ({ id, verdicts }: { id: number; verdicts: readonly Verdict[] }) => {
      this.waiting.get(id)?.(verdicts);
      this.waiting.delete(id);
    });
    await once(this.child, 'message');
  }

  /** Nothing of one that is not there, or is killed before it answers. */
  ask(
    message: { readonly tokens: readonly string[] } | { readonly mistake: string },
  ): Promise<readonly Verdict[]> {
    this.last += 1;
    const id = this.last;
    const { child } = this;
    return new Promise((resolve) => {
      if (!child) return resolve([]);
      this.waiting.set(id, resolve);
      child.send({ id, ...message }, (error) => {
        if (error) resolve([]);
      });
    });
  }

  override async stop(): Promise<void> {
    await super.stop();
    for (const resolve of this.waiting.values()) resolve([]);
    this.waiting.clear();
  }
}

/** What goes wrong for a guard or for a server, longer than a lease, and is mended then. */
const TROUBLES: Readonly<Record<string, (part: Part) => Promise<void>>> = {
  pause: (part) => part.pause(LEASE_MS * 1.5),
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
  'kill -9': (part) => part.restart(),
};

export interface House {
  readonly servers: readonly Authority[];
  readonly guards: readonly Guard[];
}

type Fault = (house: House, one: <T>(list: readonly T[]) => T | undefined) => Promise<void>;

/** Each kind for one of the guards and, with its link to the database, for one of the servers. */
export const FAULTS: Readonly<Record<string, Fault>> = Object.fromEntries(
  Object.entries(TROUBLES).flatMap(([name, trouble]): [string, Fault][] => {
    const happen = (part: Part | undefined): Promise<void> => (part ? trouble(part) : Promise.resolve());
    return [
      [name, ({ guards }, one) => happen(one(guards))],
      [`${name}, of a server`, ({ servers }, one) => happen(one(servers))],
    ];
  }),
);
