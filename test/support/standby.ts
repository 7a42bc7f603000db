import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { vi } from 'vitest';
import { connectionUrl, startEmbedded } from '../../src/database/embedded/embedded-postgres.js';
import { findBinaries } from '../../src/database/embedded/postgres-binaries.js';
import { spawnOptions, workingDirectory } from '../../src/database/embedded/program-run.js';
import { serverAccount } from '../../src/database/embedded/server-account.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { connectionOf } from '../../src/database/pools.js';

export interface Standby {
  readonly url: string;
  /** Makes a primary of it. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** A real hot standby with the schema in it: a primary that was stopped cleanly and is started again as one. */
export async function startStandby(): Promise<Standby> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keks-standby-'));
  const primary = await startEmbedded({ dataDir, settings: { fsync: 'off' } });
  const url = connectionUrl(primary.address);
  await migrate(connectionOf(url));
  await primary.stop();

  const cluster = join(dataDir, 'postgres');
  await follow(cluster);
  const server = await serve(dataDir, { fsync: 'off' });
  await vi.waitFor(() => ask(url, 'SELECT 1'), { timeout: 90_000, interval: 50 });
  return {
    url,
    promote: async () => void (await ask(url, 'SELECT pg_promote(true, 20)')),
    async stop() {
      await server.end();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** At its next start it is a standby. @param conninfo of the server that it follows */
export async function follow(cluster: string, conninfo = ''): Promise<void> {
  const { uid, gid } = await stat(cluster);
  await appendFile(join(cluster, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`);
  await writeFile(join(cluster, 'standby.signal'), '');
  await chown(join(cluster, 'standby.signal'), uid, gid);
}

export interface RunningServer {
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** PostgreSQL by itself, without Keks as its owner: on a cluster that is there, at the socket in it. */
export async function serve(
  dataDir: string,
  settings: Readonly<Record<string, string>>,
): Promise<RunningServer> {
  const cluster = join(dataDir, 'postgres');
  const account = await serverAccount(cluster);
  const { postgres } = await findBinaries(dataDir, account);
  const all = { listen_addresses: '', unix_socket_directories: '.', hot_standby: 'on', ...settings };
  const child = spawn(
    postgres,
    [
      '-D',
      workingDirectory(cluster),
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...spawnOptions({ cwd: cluster, account }), stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  return {
    async end(signal = 'SIGINT') {
      child.kill(signal);
      await ended;
    },
  };
}

export async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(connectionOf(url));
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
