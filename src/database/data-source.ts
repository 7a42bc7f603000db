import { DataSource, type MixedList } from 'typeorm';
import type { PoolConfig } from 'pg';
import { migrations } from '../../migrations/index.js';

export const MIGRATIONS_TABLE = 'migrations';

export type Entities = (new () => object)[];

/** TypeORM for migrations, entities and cold paths. `synchronize` stays off: the schema changes by migrations only. */
export function createDataSource(pool: PoolConfig, entities: Entities = []): DataSource {
  return new DataSource({
    type: 'postgres',
    entities: entities as MixedList<new () => object>,
    migrations,
    migrationsTableName: MIGRATIONS_TABLE,
    synchronize: false,
    logging: false,
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    poolErrorHandler: () => undefined,
    extra: pool,
  });
}
