import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { connectionUrl, startEmbedded } from '../../src/database/embedded/embedded-postgres.js';
import { loadConfig } from '../../src/config/config.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { connectionOf } from '../../src/database/pools.js';
import { ManualClock } from './manual-clock.js';
import { environment } from './test-app.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the run's PostgreSQL; `TEMPLATE` in it is copied for each test file. */
    postgres: string;
  }
}

export const TEMPLATE = 'keks_template';

const MEMORY = '/dev/shm';
/** Bytes: a run needs a tenth of it. */
const PLENTY = 6 * 2 ** 30;

/** What a run writes need not outlive it, and in memory a cluster of a thousand files costs half as much to make and to remove. */
async function roomiest(): Promise<string> {
  const room = await statfs(MEMORY).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize > PLENTY ? MEMORY : tmpdir();
}

/** Some tests copy PostgreSQL to where they work; in many containers nothing in memory may be run. */
async function runsPrograms(folder: string): Promise<boolean> {
  const program = join(folder, 'program');
  await writeFile(program, '#!/bin/sh\n', { mode: 0o755 });
  return spawnSync(program).status === 0;
}

/** One embedded PostgreSQL a run, one migrated template in it. What starts the program as a process compiles it: see process.ts. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(await roomiest(), 'keks-test-'));
  const { TMPDIR: before } = process.env;
  if (dirname(folder) === MEMORY && (await runsPrograms(folder))) {
    // as open as the folder for temporary files: the processes that run the tests inherit it as that
    await chmod(folder, 0o1777);
    process.env.TMPDIR = folder;
  }
  const dataDir = join(folder, 'data');
  const postgres = await startEmbedded({
    dataDir,
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      max_connections: '500',
      // of an eighth of the machine's memory, which Keks takes by itself, each DROP TABLE looks through all
      shared_buffers: '128MB',
      // it would wake up for each of the databases, and change plans when it likes
      autovacuum: 'off',
      // whose statement it was: see statement-log.ts
      log_line_prefix: '%m [%p] %d ',
    },
  });
  const url = connectionUrl(postgres.address);
  const admin = new pg.Client(connectionOf(url));
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.end();
  const template = { ...connectionOf(url), database: TEMPLATE };
  await migrate(template);
  // each database would make the same partitions of today and the days after, for a fifth of a second
  await new Maintenance(loadConfig(environment(url)), new ManualClock()).prepare(template);
  project.provide('postgres', url);
  return async () => {
    await postgres.stop();
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(folder, { recursive: true, force: true });
  };
}
