import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from 'keks-guard';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { DrainState } from '../http/drain.js';
import { createHttpApp } from '../http/http-app.js';
import { HealthController } from './health.controller.js';
import { metricsController } from './metrics.controller.js';
import { MetricsText } from './metrics-text.js';
import { Readiness } from './readiness.js';

/** Objects of the main application; this listener makes no second ones. */
export interface OpsSources {
  readonly readiness: Readiness;
  readonly metrics: MetricsText;
  readonly drain: DrainState;
}

@Module({})
class OpsListenerModule {
  static of({ readiness, metrics }: OpsSources): DynamicModule {
    return {
      module: OpsListenerModule,
      controllers: [HealthController, metricsController(Public())],
      providers: [
        { provide: Readiness, useValue: readiness },
        { provide: MetricsText, useValue: metrics },
      ],
    };
  }
}

/**
 * The application on `OPS_PORT`: `/metrics`, `/health/*` and the routes that callers add. It speaks plain HTTP and
 * needs no token, for a network that only operators can reach. Framing and errors have the same rules as on the main
 * port.
 */
export function createOpsApp(
  sources: OpsSources,
  { REALM: realm, KEEP_ALIVE: keepAlive }: Pick<Config, 'REALM' | 'KEEP_ALIVE'>,
  logger: Logger,
): Promise<NestFastifyApplication> {
  return createHttpApp(OpsListenerModule.of(sources), { realm, keepAlive, logger, drain: sources.drain });
}
