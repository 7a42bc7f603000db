import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { connectionUrl, startEmbedded } from '../../src/database/embedded/embedded-postgres.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { connectionOf } from '../../src/database/pools.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the run's PostgreSQL; `TEMPLATE` in it is copied for each test file. */
    postgres: string;
  }
}

export const TEMPLATE = 'keks_template';

/** One embedded PostgreSQL a run, one migrated template in it. What starts the program as a process compiles it: see process.ts. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keks-test-'));
  const postgres = await startEmbedded({
    dataDir,
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      max_connections: '500',
      // whose statement it was: see statement-log.ts
      log_line_prefix: '%m [%p] %d ',
    },
  });
  const url = connectionUrl(postgres.address);
  const admin = new pg.Client(connectionOf(url));
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.end();
  await migrate({ ...connectionOf(url), database: TEMPLATE });
  project.provide('postgres', url);
  return async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
