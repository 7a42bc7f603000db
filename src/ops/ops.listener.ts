import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { Database } from '../database/database.js';
import { Public } from '../guard/principal.js';
import { DrainState } from '../http/drain.js';
import { createHttpApp } from '../http/http-app.js';
import { HealthController } from './health.controller.js';
import { metricsController } from './metrics.controller.js';
import { Metrics } from './metrics.js';

@Module({})
class OpsListenerModule {
  /** What is shown is the main application's own: nothing is made a second time. */
  static beside(app: NestFastifyApplication): DynamicModule {
    return {
      module: OpsListenerModule,
      controllers: [HealthController, metricsController(Public())],
      providers: [Database, DrainState, Metrics].map((token) => {
        return { provide: token, useValue: app.get<unknown>(token, { strict: false }) };
      }),
    };
  }
}

/**
 * The application for `OPS_PORT`: `/metrics` and `/health/*`, and what else is added to it, over plain HTTP and without a token, for a network that only
 * operators reach. It keeps the rules of framing and errors that hold for everybody.
 */
export function createOpsApp(
  app: NestFastifyApplication,
  { REALM: realm }: Config,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const drain = app.get(DrainState, { strict: false });
  return createHttpApp(OpsListenerModule.beside(app), { realm, logger, drain });
}
