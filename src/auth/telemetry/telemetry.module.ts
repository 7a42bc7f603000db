import { Module } from '@nestjs/common';
import { Telemetry } from './telemetry.js';

/** Owns the counts of this process; never how they are shown. */
@Module({ providers: [Telemetry], exports: [Telemetry] })
export class TelemetryModule {}
