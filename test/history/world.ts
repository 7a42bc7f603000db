import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import pg from 'pg';
import {
  connectionUrl,
  startEmbedded,
  type EmbeddedPostgres,
} from '../../src/database/embedded/embedded-postgres.js';
import { connectionOf } from '../../src/database/pools.js';
import { watchOutput } from '../support/watch.js';
import { freePort } from '../support/ports.js';
import { loose, program } from '../support/program.js';
import { AS_SHIPPED, environment, FAR_AWAY } from '../support/test-app.js';
import { Link } from './link.js';
import { KeyRotation } from './secret-keys.js';

export const SERVERS = [0, 1] as const;
export const USER = { name: 'Historian', password: 'seven brown biscuits under a blue moon' };

/** A database of somebody else's, to which servers find the way by themselves. */
export interface Site {
  readonly url: string;
  /** Of its primary as it is now, for what the world itself does there. */
  readonly primary: () => string;
}

interface Server {
  readonly port: number;
  /** Undefined on a site of somebody else's. */
  readonly link: Link | undefined;
  child: ChildProcess | undefined;
}

/** Two server processes, each with a link of its own to one PostgreSQL, and everything that can happen to them. */
export class World {
  private postgres: EmbeddedPostgres | undefined;
  private readonly servers: Server[] = [];

  /** How often PostgreSQL has crashed. */
  crashes = 0;
  private preload: string | undefined;
  private keys = new KeyRotation(SERVERS.length);

  private constructor(
    private readonly dataDir: string,
    private readonly site?: Site,
  ) {}

  static async create(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'keks-history-')));
    await world.startPostgres();
    for (const _ of SERVERS) {
      const link = await Link.open(() => world.socket);
      world.servers.push({ port: await freePort(), link, child: undefined });
    }
    await Promise.all(SERVERS.map((server) => world.start(server)));
    return world;
  }

  static async over(site: Site): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'keks-history-')), site);
    for (const _ of SERVERS)
      world.servers.push({ port: await freePort(), link: undefined, child: undefined });
    await Promise.all(SERVERS.map((server) => world.start(server)));
    return world;
  }

  get urls(): string[] {
    return this.servers.map(({ port }) => `http://127.0.0.1:${port}`);
  }

  /**
   * @param preload a module that every server loads first from now on: how a mistake gets in
   * @param steps of a rotation of SECRET_KEY that have been taken already
   */
  async restart(preload: string, steps = 0): Promise<void> {
    this.preload = preload;
    this.keys = new KeyRotation(SERVERS.length);
    for (let taken = 0; taken < steps; taken += 1) this.keys.next();
    for (const server of SERVERS) this.kill(server);
    await Promise.all(SERVERS.map((server) => this.start(server)));
  }

  /** To the preloaded module of every server, which says it again when it has done so. */
  async tell(word: string): Promise<void> {
    await Promise.all(
      this.servers.map(async ({ child }) => {
        if (!child) throw new Error('a server is not there');
        const heard = once(child, 'message');
        child.send(word);
        await heard;
      }),
    );
  }

  /** The next step of a rotation of SECRET_KEY, which one of the servers takes. */
  async rotateKeys(): Promise<void> {
    const server = this.keys.next();
    this.kill(server);
    await this.start(server);
  }

  link(server: number): Link {
    const { link } = this.at(server);
    if (!link) throw new Error('this world has no links');
    return link;
  }

  async start(server: number): Promise<void> {
    const one = this.at(server);
    if (one.child) return;
    // a mistake of the code is put into one of its files, and one of the settings into their place
    const main = this.preload?.endsWith('mistakes.mjs') ? loose('main') : program('main');
    const args = [...(this.preload === undefined ? [] : ['--import', this.preload]), main];
    const url = this.site?.url ?? `postgresql://keks@127.0.0.1:${this.link(server).port}/keks`;
    const env = environment(url, {
      // who looks for a mistake is not to be kept from it by a slow machine
      DATABASE_TIMEOUT: this.preload === undefined ? AS_SHIPPED.DATABASE_TIMEOUT : FAR_AWAY,
      PORT: String(one.port),
      LOG_LEVEL: 'error',
      REFRESH_GRACE_PERIOD: '5m',
      // nobody's login gives way to a further one
      MAX_SESSIONS_PER_USER: '1000000',
      ...this.keys.settings(server),
    });
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const hear = watchOutput(`server ${server}, process ${child.pid}`);
    child.stdout?.on('data', (chunk: Buffer) => hear(chunk.toString()));
    one.child = child;
    await this.untilReady(server);
  }

  kill(server: number): void {
    this.at(server).child?.kill('SIGKILL');
    this.at(server).child = undefined;
  }

  pause(server: number): void {
    this.at(server).child?.kill('SIGSTOP');
  }

  resume(server: number): void {
    this.at(server).child?.kill('SIGCONT');
  }

  /** As after a crash: what was committed is there, and nothing else. */
  async crashPostgres(): Promise<void> {
    this.crashes += 1;
    const [pid] = (await readFile(join(this.dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    await this.postgres?.exited;
    await this.postgres?.stop();
    await this.startPostgres();
  }

  /** Postgres ends the sessions of all servers. */
  async terminateBackends(): Promise<void> {
    const admin = await this.connect();
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = 'keks' AND pid <> pg_backend_pid() AND application_name = 'keks'`,
    );
    await admin.end();
  }

  /** As if a quarter of an hour had gone by: codes of devices may be tried again. */
  async forgetTries(): Promise<void> {
    const admin = await this.connect();
    await admin.query('DELETE FROM attempt_counters');
    await admin.end();
  }

  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ ...connectionOf(this.url), application_name: 'world' });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** For operators: straight to the database. */
  get url(): string {
    if (this.site) return this.site.primary();
    if (!this.postgres) throw new Error('no database');
    return connectionUrl(this.postgres.address);
  }

  async untilReady(server: number): Promise<void> {
    for (let attempt = 0; attempt < 4_800; attempt += 1) {
      const url = `${this.urls[server]}/health/ready`;
      const ready = await fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
        (answer) => answer.status === 200,
        () => false,
      );
      if (ready) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`server ${server} did not become ready`);
  }

  async destroy(): Promise<void> {
    for (const server of SERVERS) {
      this.resume(server);
      this.kill(server);
      await this.at(server).link?.close();
    }
    await this.postgres?.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  private async startPostgres(): Promise<void> {
    this.postgres = await startEmbedded({ dataDir: this.dataDir, settings: { max_connections: '100' } });
  }

  private get socket(): string {
    const { host, port } = this.postgres?.address ?? { host: '', port: 0 };
    return `${host}/.s.PGSQL.${port}`;
  }

  private at(server: number): Server {
    const one = this.servers[server];
    if (!one) throw new Error(`there is no server ${server}`);
    return one;
  }
}
