import { Module, type DynamicModule } from '@nestjs/common';
import { KeysModule } from '../auth/keys/keys.module.js';
import { NumbersHistoryModule } from '../auth/telemetry/numbers-history.module.js';
import { EventSenderModule } from '../auth/receivers/event-sender.module.js';
import { LeasesModule } from '../auth/leases/leases.module.js';
import { TelemetryModule } from '../auth/telemetry/telemetry.module.js';
import { UsersModule } from '../auth/users/users.module.js';
import type { Config } from '../config/config.js';
import { DrainState } from '../http/drain.js';
import { HealthController } from './health.controller.js';
import { HttpTraffic } from './http-traffic.js';
import { metricsControllers } from './metrics.controller.js';
import { BUILD, Metrics } from './metrics.js';
import { NumbersController } from './numbers.controller.js';
import { MetricsText } from './metrics-text.js';
import { StateMetrics } from './state-metrics.js';
import { WaitMetrics } from './wait-metrics.js';
import { OwnReadiness, Readiness } from './readiness.js';

export interface OpsOptions {
  readonly config: Config;
  readonly drain: DrainState;
  readonly version: string;
  /** The answer of `GET /metrics`, if it has more than the numbers of this process. */
  readonly metrics?: MetricsText | undefined;
  /** The database that the readiness is about. */
  readonly database: DynamicModule;
}

/** Owns what operators and balancers look at. It changes only the numbers of the last day. */
@Module({})
export class OpsModule {
  static of({ config, drain, version, metrics, database }: OpsOptions): DynamicModule {
    return {
      module: OpsModule,
      imports: [
        ...[database, EventSenderModule, KeysModule, LeasesModule],
        ...[NumbersHistoryModule, TelemetryModule, UsersModule],
      ],
      controllers: [HealthController, NumbersController, ...metricsControllers(config)],
      providers: [
        { provide: DrainState, useValue: drain },
        { provide: BUILD, useValue: version },
        HttpTraffic,
        Metrics,
        StateMetrics,
        WaitMetrics,
        metrics
          ? { provide: MetricsText, useValue: metrics }
          : { provide: MetricsText, useExisting: Metrics },
        { provide: Readiness, useClass: OwnReadiness },
      ],
    };
  }
}
