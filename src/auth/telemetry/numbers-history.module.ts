import { Module } from '@nestjs/common';
import { NumbersHistory } from './numbers-history.js';
import { TelemetryModule } from './telemetry.module.js';

/** Owns the counts of the last day; never what is counted. For servers only: the command line counts nothing. */
@Module({ imports: [TelemetryModule], providers: [NumbersHistory], exports: [NumbersHistory] })
export class NumbersHistoryModule {}
