import { DataSource, type Logger, type MixedList } from 'typeorm';
import type { PoolConfig } from 'pg';
import { migrations } from '../../../migrations/index.js';
import { MIGRATIONS_TABLE } from './schema-compatibility.js';
import { PinnedClient } from '../pinned-client.js';

export type Entities = (new () => object)[];

const ignore = (): void => undefined;

/**
 * Even with `logging: false` TypeORM prints a failed migration on stdout, where the command line must print only one
 * JSON document.
 */
const SILENT: Logger = {
  logQuery: ignore,
  logQueryError: ignore,
  logQuerySlow: ignore,
  logSchemaBuild: ignore,
  logMigration: ignore,
  log: ignore,
};

/**
 * TypeORM for migrations; servers use `PooledDataSource`. `synchronize` stays off: only migrations change the schema.
 * @param entities the entities to compare the schema with
 */
export function createDataSource(pool: PoolConfig, entities: Entities = []): DataSource {
  return new DataSource({
    type: 'postgres',
    entities: entities as MixedList<new () => object>,
    migrations,
    migrationsTableName: MIGRATIONS_TABLE,
    synchronize: false,
    logging: false,
    logger: SILENT,
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    poolErrorHandler: () => undefined,
    extra: { ...pool, Client: PinnedClient },
  });
}
