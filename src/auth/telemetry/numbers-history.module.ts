import { Module } from '@nestjs/common';
import { NumbersHistory } from './numbers-history.js';
import { TelemetryModule } from './telemetry.module.js';

/** Owns what was counted in the last day; never what is counted. For servers: on the command line nothing is counted. */
@Module({ imports: [TelemetryModule], providers: [NumbersHistory], exports: [NumbersHistory] })
export class NumbersHistoryModule {}
