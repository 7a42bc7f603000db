import { Module, type DynamicModule } from '@nestjs/common';
import { DrainState } from '../http/drain.js';
import { HealthController } from './health.controller.js';

/** Owns what operators and balancers look at. It changes nothing. */
@Module({})
export class OpsModule {
  static of(database: DynamicModule, drain: DrainState): DynamicModule {
    return {
      module: OpsModule,
      imports: [database],
      controllers: [HealthController],
      providers: [{ provide: DrainState, useValue: drain }],
    };
  }
}
