import { Module, type DynamicModule } from '@nestjs/common';
import { AuthModule } from './auth/auth.module.js';
import { AuthService } from './auth/auth.service.js';
import { resourceMetadataUrl } from './auth/discovery/well-known.js';
import type { Config } from './config/config.js';
import { CookiesModule } from './cookies/cookies.module.js';
import type { Clock } from './database/clock.js';
import { DatabaseModule } from './database/database.module.js';
import { GuardModule } from './guard/guard.module.js';
import { DrainState } from './http/drain.js';
import type { MetricsText } from './ops/metrics-text.js';
import { OpsModule } from './ops/ops.module.js';
import { WebModule } from './web/web.module.js';

export interface AppOptions {
  readonly config: Config;
  readonly drain?: DrainState;
  /** In place of the database's clock, for tests. */
  readonly clock?: Clock;
  /** In place of those of this process alone. */
  readonly metrics?: MetricsText | undefined;
  /** Told in the metrics. */
  readonly version?: string;
}

/** The only file that knows which modules run and which validator the guard gets. */
@Module({})
export class AppModule {
  static of(options: AppOptions): DynamicModule {
    const { config, drain = new DrainState(), clock, metrics, version = 'unknown' } = options;
    const database = DatabaseModule.forRoot(config, clock);
    const auth = AuthModule.of(config, database);
    const guard = GuardModule.forRoot({
      realm: config.REALM,
      audience: config.AUDIENCE,
      resourceMetadata: resourceMetadataUrl(config.AUDIENCE),
      imports: [auth],
      validator: { useExisting: AuthService },
    });
    const ops = OpsModule.of({ config, drain, version, metrics, imports: [database, auth] });
    return {
      module: AppModule,
      imports: [auth, guard, CookiesModule, ops, WebModule.of(config)],
    };
  }
}
