import { Module } from '@nestjs/common';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { GuardDirectory } from './guard-directory.js';
import { GuardLeases } from './guard-leases.js';
import { RevocationLog } from './revocation-log.js';
import { ToldGuards } from './told-guards.js';

/** Owns how guards that check JWTs alone hear of ends, and the wait for these guards; never what ends. */
@Module({
  imports: [TelemetryModule],
  providers: [GuardDirectory, GuardLeases, RevocationLog, ToldGuards],
  exports: [GuardDirectory, GuardLeases, RevocationLog, ToldGuards],
})
export class LeasesModule {}
