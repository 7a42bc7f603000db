import { Module } from '@nestjs/common';
import { KeySchedule } from './key-schedule.js';
import { KeysModule } from './keys.module.js';

/** Owns when signing keys are looked after, on servers alone; never what is done to them then. */
@Module({ imports: [KeysModule], providers: [KeySchedule] })
export class KeyScheduleModule {}
