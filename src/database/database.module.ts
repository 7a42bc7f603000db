import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { Clock, DatabaseClock } from './clock.js';
import { Database } from './database.js';
import { DatabaseSession } from './database-session.js';
import { Maintenance } from './schema/maintenance.js';
import { PooledDataSource, pooledOptions } from './pooled-data-source.js';

/** Gives every module the pools and the clock. TypeORM borrows its connections from the pools. */
@Module({})
class PoolsModule {
  static of(clock: Clock | undefined): DynamicModule {
    return {
      module: PoolsModule,
      global: true,
      providers: [
        Database,
        DatabaseClock,
        clock ? { provide: Clock, useValue: clock } : { provide: Clock, useExisting: DatabaseClock },
      ],
      exports: [Database, DatabaseClock, Clock],
    };
  }
}

/**
 * Nothing connects while Nest builds the application: `DatabaseSession` connects later, and tries until it succeeds.
 */
function repositories(): DynamicModule {
  return TypeOrmModule.forRootAsync({
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
 * Owns the connection to PostgreSQL, the schema, the clock and the partitions. This module knows tables, but not what a
 * token or a user is.
 */
@Module({})
export class DatabaseModule {
  /**
   * This module is not global: otherwise Nest would stop TypeORM before `DatabaseSession`.
   * @param clock replaces the database's clock, for tests that set the time by hand
   */
  static forRoot(clock?: Clock): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [PoolsModule.of(clock), repositories()],
      providers: [DatabaseSession, Maintenance],
      exports: [DatabaseSession, Maintenance],
    };
  }
}
