import { Module } from '@nestjs/common';
import { Telemetry } from './telemetry.js';

/** Owns the authority's counts of this process; never how they are shown. */
@Module({ providers: [Telemetry], exports: [Telemetry] })
export class TelemetryModule {}
