import { Module } from '@nestjs/common';
import { DiscoveryModule as RoutesModule } from '@nestjs/core';
import { ServedScopes } from './served-scopes.js';

/** Owns the list of scopes that routes ask for; never who has one. */
@Module({ imports: [RoutesModule], providers: [ServedScopes], exports: [ServedScopes] })
export class ServedScopesModule {}
