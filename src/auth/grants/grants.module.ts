import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LeasesModule } from '../leases/leases.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { EndingSweeper } from './ending-sweeper.js';
import { Grant } from './grant.entity.js';
import { GrantsService } from './grants.service.js';
import { HeardEndings } from './heard-endings.js';
import { LastUse } from './last-use.js';
import { OwnerEnding } from './owner-ending.entity.js';
import { OwnerEndings } from './owner-endings.js';
import { RestoredBackup } from './restored-backup.js';

/** Owns grants and their ends; never a token. */
@Module({
  imports: [LeasesModule, TelemetryModule, TypeOrmModule.forFeature([Grant, OwnerEnding])],
  providers: [LastUse, EndingSweeper, GrantsService, HeardEndings, OwnerEndings, RestoredBackup],
  exports: [GrantsService, LastUse, OwnerEndings, RestoredBackup],
})
export class GrantsModule {}
