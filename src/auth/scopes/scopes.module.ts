import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ScopeDescription } from './scope-description.entity.js';
import { ScopeDescriptions } from './scope-descriptions.js';

/** Owns what scopes mean in words; never who may have one. */
@Module({
  imports: [TypeOrmModule.forFeature([ScopeDescription])],
  providers: [ScopeDescriptions],
  exports: [ScopeDescriptions],
})
export class ScopesModule {}
