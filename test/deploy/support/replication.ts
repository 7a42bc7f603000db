import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { connectionUrl, startEmbedded } from '../../../src/database/embedded/embedded-postgres.js';
import { connectionOf } from '../../../src/database/pools.js';
import { migrate } from '../../../src/database/schema/migrator.js';
import { ask, follow, serve, type RunningServer } from '../../support/standby.js';

export interface Replication {
  readonly primary: string;
  readonly standby: string;
  /** Of both, as libpq takes it. */
  readonly both: string;
  /** From now on the standby receives nothing. */
  sever(): Promise<void>;
  /** From now on the standby shows nothing of what it receives. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The primary is gone at once, and the standby takes its place. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** Two real servers, the second one streaming from the first. @param synchronous whether a commit waits for it */
export async function startReplication({ synchronous }: { synchronous: boolean }): Promise<Replication> {
  const folder = await mkdtemp(join(tmpdir(), 'keks-two-'));
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  await Promise.all([mkdir(one), mkdir(two)]);
  const made = await startEmbedded({ dataDir: one, settings: { fsync: 'off' } });
  const primary = connectionUrl({ ...made.address, host: join(one, 'postgres') });
  await migrate(connectionOf(primary));
  await made.stop();
  // with owners and rights
  await promisify(execFile)('cp', ['-a', join(one, 'postgres'), two]);
  const standby = connectionUrl({ ...made.address, host: join(two, 'postgres') });
  await follow(join(two, 'postgres'), `host=${join(one, 'postgres')} user=keks application_name=two`);
  await promisify(execFile)('chmod', ['711', folder, one, two]);
  const settings = { fsync: 'off', max_connections: '200' };
  const servers = {
    primary: await serve(one, { ...settings, ...(synchronous ? { synchronous_standby_names: 'two' } : {}) }),
    standby: await serve(two, settings),
  };
  const ended = new Set<RunningServer>();
  await vi.waitFor(() => streams(primary), { timeout: 60_000, interval: 50 });
  return {
    primary,
    standby,
    both: connectionUrl({
      ...made.address,
      host: `${join(one, 'postgres')},${join(two, 'postgres')}`,
    }).concat('&target_session_attrs=read-write'),
    async sever() {
      await ask(standby, `ALTER SYSTEM SET primary_conninfo = ''`);
      await ask(standby, 'SELECT pg_reload_conf()');
      await vi.waitFor(
        async () => {
          const rows = await ask(primary, 'SELECT FROM pg_stat_replication');
          if (rows.length > 0) throw new Error('it still streams');
        },
        { timeout: 30_000, interval: 20 },
      );
    },
    pause: async () => void (await ask(standby, 'SELECT pg_wal_replay_pause()')),
    resume: async () => void (await ask(standby, 'SELECT pg_wal_replay_resume()')),
    async failOver() {
      ended.add(servers.primary);
      await servers.primary.end('SIGQUIT');
      await ask(standby, 'SELECT pg_promote(true, 60)');
    },
    async stop() {
      for (const server of Object.values(servers)) if (!ended.has(server)) await server.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function streams(primary: string): Promise<void> {
  const rows = await ask(primary, `SELECT FROM pg_stat_replication WHERE state = 'streaming'`);
  if (rows.length === 0) throw new Error('the standby does not stream yet');
}
