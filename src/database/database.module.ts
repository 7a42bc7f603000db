import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import type { Config } from '../config/config.js';
import { ConfigModule } from '../config/config.module.js';
import { Clock, DatabaseClock } from './clock.js';
import { Database } from './database.js';
import { DatabaseSession } from './database-session.js';
import { Maintenance } from './schema/maintenance.js';
import { PooledDataSource, pooledOptions } from './pooled-data-source.js';

/** Owns the pools, which TypeORM's connections are borrowed from. */
@Module({ providers: [Database], exports: [Database] })
class PoolsModule {
  static of(config: Config): DynamicModule {
    return { module: PoolsModule, imports: [ConfigModule.of(config)] };
  }
}

/** Nothing is connected while the program is put together: `DatabaseSession` does that, and is patient. */
function repositories(pools: DynamicModule): DynamicModule {
  return TypeOrmModule.forRootAsync({
    imports: [pools],
    inject: [Database],
    useFactory: (database: Database) => ({
      ...pooledOptions(() => database.lend()),
      autoLoadEntities: true,
      manualInitialization: true,
    }),
    dataSourceFactory: (options) => Promise.resolve(new PooledDataSource(options as DataSourceOptions)),
  });
}

/**
 * Owns the connection to PostgreSQL, its schema, its clock and its partitions. It knows tables, never what a token or
 * a user is.
 */
@Module({})
export class DatabaseModule {
  /** @param clock in place of the database's, for tests that turn time by hand */
  static forRoot(config: Config, clock?: Clock): DynamicModule {
    const pools = PoolsModule.of(config);
    return {
      module: DatabaseModule,
      imports: [ConfigModule.of(config), pools, repositories(pools)],
      providers: [
        DatabaseClock,
        clock ? { provide: Clock, useValue: clock } : { provide: Clock, useExisting: DatabaseClock },
        DatabaseSession,
        Maintenance,
      ],
      exports: [PoolsModule, Clock, DatabaseSession, Maintenance],
    };
  }
}
