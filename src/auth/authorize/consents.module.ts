import { Module } from '@nestjs/common';
import { LeasesModule } from '../leases/leases.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { ConsentsService } from './consents.service.js';

/** Owns the consents that people give to clients, and their end; never the pages on which people consent. */
@Module({
  imports: [LeasesModule, TelemetryModule, ThrottleModule],
  providers: [ConsentsService],
  exports: [ConsentsService],
})
export class ConsentsModule {}
