import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
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
  const { uid, gid } = await stat(cluster);
  await writeFile(join(cluster, 'standby.signal'), '');
  await chown(join(cluster, 'standby.signal'), uid, gid);
  const account = await serverAccount(cluster);
  const { postgres } = await findBinaries(dataDir, account);
  const settings = ['listen_addresses=', 'unix_socket_directories=.', 'hot_standby=on', 'fsync=off'];
  const child = spawn(
    postgres,
    ['-D', workingDirectory(cluster), ...settings.flatMap((setting) => ['-c', setting])],
    { ...spawnOptions({ cwd: cluster, account }), stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  await vi.waitFor(() => ask(url, 'SELECT 1'), { timeout: 90_000, interval: 50 });
  return {
    url,
    promote: () => ask(url, 'SELECT pg_promote(true, 20)'),
    async stop() {
      child.kill('SIGINT');
      await ended;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function ask(url: string, text: string): Promise<void> {
  const client = new Client(connectionOf(url));
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}
