import { Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule } from '../../src/auth/clients/clients.module.js';
import { KeyScheduleModule } from '../../src/auth/keys/key-schedule.module.js';
import { KeySchedule } from '../../src/auth/keys/key-schedule.js';
import { UsersModule } from '../../src/auth/users/users.module.js';
import { loadConfig } from '../../src/config/config.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { DatabaseModule } from '../../src/database/database.module.js';
import { DatabaseSession } from '../../src/database/database-session.js';
import { connectionOf } from '../../src/database/pools.js';
import type { ManualClock } from './manual-clock.js';
import { environment } from './test-app.js';

/** One more instance of the authority on a database, without HTTP. Its keys it reads only when it is told to. */
export interface Instance {
  get<T>(type: Type<T> | (abstract new (...args: never[]) => T)): T;
  close(): Promise<void>;
}

@Module({})
class InstanceRoot {}

export async function startInstance(
  databaseUrl: string,
  clock: ManualClock,
  extra: Record<string, string> = {},
  more: readonly Type[] = [],
): Promise<Instance> {
  const config = loadConfig(environment(databaseUrl, extra));
  const context: INestApplicationContext = await NestFactory.createApplicationContext(
    {
      module: InstanceRoot,
      imports: [
        ...[ConfigModule.of(config), DatabaseModule.forRoot(clock)],
        ...[ClientsModule, KeyScheduleModule, UsersModule, ...more],
      ],
    },
    { logger: false, abortOnError: false },
  );
  context.get(KeySchedule).onModuleDestroy();
  await context.get(DatabaseSession).connect(connectionOf(databaseUrl));
  return { get: (type) => context.get(type), close: () => context.close() };
}
