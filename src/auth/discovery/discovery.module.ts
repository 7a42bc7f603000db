import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule as RoutesModule } from '@nestjs/core';
import type { Config } from '../../config/config.js';
import { KeysModule } from '../keys/keys.module.js';
import { discoveryControllers } from './discovery.controllers.js';
import { ServedScopes } from './served-scopes.js';

/** Owns what the authority says of itself; never anything that came with a request. */
@Module({})
export class DiscoveryModule {
  /** The addresses of its routes are derived from the configuration. */
  static of(config: Config): DynamicModule {
    return {
      module: DiscoveryModule,
      imports: [KeysModule, RoutesModule],
      controllers: discoveryControllers(config),
      providers: [ServedScopes],
    };
  }
}
