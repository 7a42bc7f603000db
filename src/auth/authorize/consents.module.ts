import { Module } from '@nestjs/common';
import { LeasesModule } from '../leases/leases.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { ConsentsService } from './consents.service.js';

/** Owns what people have allowed clients, and the end of that; never the pages on which they do. */
@Module({
  imports: [LeasesModule, TelemetryModule, ThrottleModule],
  providers: [ConsentsService],
  exports: [ConsentsService],
})
export class ConsentsModule {}
