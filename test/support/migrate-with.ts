import { DataSource, type MigrationInterface } from 'typeorm';
import { createDataSource } from '../../src/database/schema/data-source.js';
import { connectionOf } from '../../src/database/pools.js';
import type { TestDatabase } from './database.js';

/** What a version with these migrations does at its start. @returns the names of those that ran now */
export async function migrateWith(
  { url }: TestDatabase,
  migrations: (new () => MigrationInterface)[],
): Promise<string[]> {
  const { options } = createDataSource(connectionOf(url));
  const source = await new DataSource({ ...options, migrations } as typeof options).initialize();
  const done = await source.runMigrations({ transaction: 'each' });
  await source.destroy();
  return done.map(({ name }) => name);
}
