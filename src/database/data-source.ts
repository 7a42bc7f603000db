import { DataSource, type Logger, type MixedList } from 'typeorm';
import type { PoolConfig } from 'pg';
import { migrations } from '../../migrations/index.js';
import { MIGRATIONS_TABLE } from './migrations-table.js';
import { guarded, MAIN_POOL, poolOf, type OpenMainPool } from './pools.js';

export type Entities = (new () => object)[];

const ignore = (): void => undefined;

/** Even with `logging: false` TypeORM prints a failed migration on stdout, where the command line owes one JSON document. */
const SILENT: Logger = {
  logQuery: ignore,
  logQueryError: ignore,
  logQuerySlow: ignore,
  logSchemaBuild: ignore,
  logMigration: ignore,
  log: ignore,
};

/** TypeORM for migrations, entities and cold paths. `synchronize` stays off: the schema changes by migrations only. */
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
    extra: pool,
  });
}

/** The main pool as TypeORM's own, with the entities on it. */
export function typeOrmPool(entities: Entities): OpenMainPool {
  return async (connection) => {
    const dataSource = createDataSource({ ...connection, ...MAIN_POOL }, entities);
    await dataSource.initialize();
    return { pool: guarded(poolOf(dataSource)), close: () => dataSource.destroy() };
  };
}
