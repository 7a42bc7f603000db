import { mkdtemp, rm } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { connectionUrl, startEmbedded } from '../../src/database/embedded/embedded-postgres.js';
import { connectionOf } from '../../src/database/pools.js';
import { processTimes } from './process.js';

export interface BenchPostgres {
  /** For files of the run beside the cluster. */
  readonly folder: string;
  readonly logFile: string;
  create(name: string): Promise<string>;
  drop(name: string): Promise<void>;
  /** Seconds of CPU of all its processes so far; undefined where the system does not tell. */
  cpu(): number | undefined;
  stop(): Promise<void>;
}

/** PostgreSQL as Keks runs it for itself, with the settings it comes with: every commit is on disk before its answer. */
export async function startPostgres(): Promise<BenchPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'keks-bench-'));
  const postgres = await startEmbedded({ dataDir: folder });
  const url = connectionUrl(postgres.address);
  const admin = async (statement: string) => withClient(url, (client) => client.query(statement));
  return {
    folder,
    logFile: join(folder, 'postgres.log'),
    async create(name) {
      await admin(`CREATE DATABASE ${name}`);
      const own = new URL(url);
      own.pathname = `/${name}`;
      return own.href;
    },
    cpu: () => cpuOfCluster(folder),
    drop: async (name) => void (await admin(`DROP DATABASE ${name} WITH (FORCE)`)),
    async stop() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Its backends come and go: those that are gone are counted with their parent. */
function cpuOfCluster(folder: string): number | undefined {
  try {
    const [pid] = readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
    const known = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => processTimes(name));
    return known.reduce((sum, one) => {
      if (one === undefined) return sum;
      if (one.pid === pid) return sum + one.own + one.children;
      return one.parent === pid ? sum + one.own : sum;
    }, 0);
  } catch {
    return undefined;
  }
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(connectionOf(url));
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Transactions that have been committed. PostgreSQL adds up what its processes have done when they have been idle for a second. */
export async function commits(url: string): Promise<number> {
  await sleep(1_500);
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ n: string }>(
      'SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number(rows[0]?.n);
  });
}
