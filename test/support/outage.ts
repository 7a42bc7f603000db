import { Client } from 'pg';
import { inject } from 'vitest';
import { connectionOf } from '../../src/database/pools.js';
import type { TestDatabase } from './database.js';

export interface Outage {
  end(): Promise<void>;
}

/** Cuts every connection to this database but the test's own, and lets none in until `end`. */
export async function takeAway(database: TestDatabase): Promise<Outage> {
  const { rows } = await database.client.query<{ name: string; pid: number }>(
    'SELECT current_database() AS name, pg_backend_pid() AS pid',
  );
  const [own] = rows;
  if (!own) throw new Error('no connection');
  const admin = new Client(connectionOf(inject('postgres')));
  await admin.connect();
  await admin.query(`ALTER DATABASE ${own.name} ALLOW_CONNECTIONS false`);
  await admin.query(
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2',
    [own.name, own.pid],
  );
  return {
    async end() {
      await admin.query(`ALTER DATABASE ${own.name} ALLOW_CONNECTIONS true`);
      await admin.end();
    },
  };
}
