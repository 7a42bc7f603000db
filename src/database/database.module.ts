import { Module, type DynamicModule } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { ConfigModule } from '../config/config.module.js';
import { Clock, DatabaseClock } from './clock.js';
import { Database } from './database.js';
import { DatabaseSession } from './database-session.js';
import { Maintenance } from './schema/maintenance.js';

/**
 * Owns the connection to PostgreSQL, its schema, its clock and its partitions. It knows tables, never what a token or
 * a user is.
 */
@Module({})
export class DatabaseModule {
  /** @param clock in place of the database's, for tests that turn time by hand */
  static forRoot(config: Config, clock?: Clock): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [ConfigModule.of(config)],
      providers: [
        Database,
        DatabaseClock,
        clock ? { provide: Clock, useValue: clock } : { provide: Clock, useExisting: DatabaseClock },
        DatabaseSession,
        Maintenance,
      ],
      exports: [Database, Clock, DatabaseSession, Maintenance],
    };
  }
}
