import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditModule } from '../auth/audit/audit.module.js';
import { ConsentsModule } from '../auth/authorize/consents.module.js';
import { ClientsModule } from '../auth/clients/clients.module.js';
import { GrantsModule } from '../auth/grants/grants.module.js';
import { KeysModule } from '../auth/keys/keys.module.js';
import { LeasesModule } from '../auth/leases/leases.module.js';
import { OperatorModule } from '../auth/oauth/operator.module.js';
import { ReceiversModule } from '../auth/receivers/receivers.module.js';
import { InitialAccessTokensModule } from '../auth/registration/initial-access-tokens.module.js';
import { RestoreModule } from '../auth/restore/restore.module.js';
import { StoryModule } from '../auth/story/story.module.js';
import { TokensModule } from '../auth/tokens/tokens.module.js';
import { UsersModule } from '../auth/users/users.module.js';
import { migrations } from '../../migrations/index.js';
import { loadConfig, type Config } from '../config/config.js';
import { ConfigModule } from '../config/config.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { DatabaseSession } from '../database/database-session.js';
import { pendingMigrations } from '../database/schema/migrator.js';
import type { Lease } from './database-lease.js';
import { withDatabase } from './with-database.js';
import { Refusal } from './refusal.js';

/**
 * What verbs need: everything that the authority can do without HTTP. It has no module with controllers, because those load
 * Swagger and passport, which takes half a second.
 */
@Module({
  imports: [
    AuditModule,
    ClientsModule,
    ConsentsModule,
    GrantsModule,
    InitialAccessTokensModule,
    KeysModule,
    LeasesModule,
    OperatorModule,
    ReceiversModule,
    RestoreModule,
    StoryModule,
    TokensModule,
    UsersModule,
  ],
})
class CliModule {
  static of(config: Config): DynamicModule {
    return {
      module: CliModule,
      imports: [ConfigModule.of(config), DatabaseModule.forRoot()],
    };
  }
}

export interface Services {
  get<T>(type: abstract new (...args: never[]) => T): T;
}

/** For work on whole tables: the verb's own connection, whose statements may take longer. */
export interface Session {
  readonly client: Lease['client'];
  readonly config: Config;
}

export interface OpenServices extends Services {
  close(): Promise<void>;
}

/** Gives `work` the authority's services on the configured database. @throws Refusal; ConfigError */
export function withServices<T>(work: (services: Services, session: Session) => Promise<T>): Promise<T> {
  const config = loadConfig();
  let session: Session | undefined;
  const open = async (lease: Lease): Promise<OpenServices> => {
    await refuseToMigrateByTheWay(lease);
    session = { client: lease.client, config };
    return openServices(config, lease);
  };
  return withDatabase(config, open, (services) => {
    if (!session) throw new Error('work before the database was opened');
    return work(services, session);
  });
}

/**
 * At least a minute: somebody who types a command waits for the answer, and a complete list takes longer than a request may.
 * Verbs that hold locks work in small steps.
 */
const VERB_MS = 60_000;

export async function openServices(config: Config, { connection }: Lease): Promise<OpenServices> {
  const patient = { ...config, DATABASE_TIMEOUT: Math.max(config.DATABASE_TIMEOUT, VERB_MS) };
  const context = await NestFactory.createApplicationContext(CliModule.of(patient), {
    logger: false,
    abortOnError: false,
  });
  const close = (): Promise<void> => context.close();
  try {
    await context.get(DatabaseSession, { strict: false }).open(connection);
    return { get: (type) => context.get(type as Type, { strict: false }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An older server may be running on this schema: bringing it up to date is a decision, not a side effect. */
async function refuseToMigrateByTheWay({ own, client }: Lease): Promise<void> {
  if (own) return;
  const pending = await pendingMigrations(client);
  if (pending.length === 0 || pending.length === migrations.length) return;
  throw new Refusal(
    'temporarily_unavailable',
    `The schema is older than this program (it lacks ${pending.join(', ')}): run "keks migrate" first.`,
  );
}
