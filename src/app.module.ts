import { Module, type DynamicModule } from '@nestjs/common';
import { GuardModule } from 'keks-guard';
import { AccountModule } from './auth/account/account.module.js';
import { AdminModule } from './auth/admin/admin.module.js';
import { ApiKeysModule } from './auth/api-keys/api-keys.module.js';
import { AuthModule } from './auth/auth.module.js';
import { AuthorizeModule } from './auth/authorize/authorize.module.js';
import { ClientsModule } from './auth/clients/clients.module.js';
import { DemoApi } from './auth/clients/demo-api.js';
import { DeviceModule } from './auth/device/device.module.js';
import { ParModule } from './auth/authorize/par.module.js';
import { AuthService } from './auth/auth.service.js';
import { AuthorityProofs } from './auth/dpop/authority-proofs.js';
import { DpopModule } from './auth/dpop/dpop.module.js';
import { DiscoveryModule } from './auth/discovery/discovery.module.js';
import { resourceMetadataUrl } from './auth/discovery/well-known.js';
import { KeyScheduleModule } from './auth/keys/key-schedule.module.js';
import { OAuthModule } from './auth/oauth/oauth.module.js';
import { EventSenderModule } from './auth/receivers/event-sender.module.js';
import { RegistrationModule } from './auth/registration/registration.module.js';
import { ResetsModule } from './auth/resets/resets.module.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { CookiesModule } from './cookies/cookies.module.js';
import { LeasedCookiesModule } from './cookies/leased-cookies.module.js';
import type { Clock } from './database/clock.js';
import { DatabaseModule } from './database/database.module.js';
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
    const database = DatabaseModule.forRoot(clock);
    const guard = GuardModule.forRoot({
      realm: config.REALM,
      audience: config.AUDIENCE,
      resourceMetadata: resourceMetadataUrl(config.AUDIENCE),
      imports: [AuthModule, DpopModule],
      validator: { useExisting: AuthService },
      dpop: { useExisting: AuthorityProofs },
    });
    const authority = [
      AuthModule,
      OAuthModule,
      RegistrationModule.of(config),
      ParModule,
      DeviceModule,
      ApiKeysModule,
      AccountModule,
      AuthorizeModule,
      ResetsModule,
      AdminModule,
      DiscoveryModule.of(config),
      EventSenderModule,
      KeyScheduleModule,
    ];
    const ops = OpsModule.of({ config, drain, version, metrics, database });
    return {
      module: AppModule,
      // the OpenAPI document tells the routes in this order
      imports: [
        ...[ConfigModule.of(config), database, guard],
        ...authority,
        ...[CookiesModule, ...leasedCookies(config), ops, WebModule.of(config, playsLease(config))],
      ],
    };
  }
}

/** Its API asks this server as any would, and no certificate is made for the address by which it reaches it. */
function playsLease({ DEMO, TLS_CERT }: Config): boolean {
  return DEMO && TLS_CERT === undefined;
}

function leasedCookies(config: Config): DynamicModule[] {
  if (!playsLease(config)) return [];
  const { REALM: realm, ISSUER: issuer, AUDIENCE: audience } = config;
  const resourceMetadata = resourceMetadataUrl(audience);
  const client = { imports: [ClientsModule], client: DemoApi };
  return [LeasedCookiesModule.of({ realm, issuer, audience, resourceMetadata, ...client })];
}
