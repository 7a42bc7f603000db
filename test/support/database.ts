import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { connectionOf } from '../../src/database/pools.js';

const TEMPLATE = 'keks_template';

export interface TestDatabase {
  readonly url: string;
  /** A connection of the test's own, beside the program's. */
  readonly client: pg.Client;
  close(): Promise<void>;
}

function urlOf(database: string): string {
  const url = new URL(inject('postgres'));
  url.pathname = `/${database}`;
  return url.href;
}

/** A database of this test file's own: migrated, or empty. */
export async function createDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client(connectionOf(inject('postgres')));
  await admin.connect();
  const from = options.empty ? '' : ` TEMPLATE ${TEMPLATE} STRATEGY FILE_COPY`;
  await admin.query(`CREATE DATABASE ${name}${from}`);
  await admin.end();
  const client = new pg.Client(connectionOf(urlOf(name)));
  client.on('error', () => undefined);
  await client.connect();
  return { url: urlOf(name), client, close: () => client.end() };
}
