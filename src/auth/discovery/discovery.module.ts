import { Module, type DynamicModule } from '@nestjs/common';
import type { Config } from '../../config/config.js';
import { ClientsModule } from '../clients/clients.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { discoveryControllers } from './discovery.controllers.js';
import { ExchangeOffer } from './exchange-offer.js';
import { ServedScopesModule } from './served-scopes.module.js';

/** Owns what the authority says of itself; never anything that came with a request. */
@Module({})
export class DiscoveryModule {
  /** The addresses of its routes are derived from the configuration. */
  static of(config: Config): DynamicModule {
    return {
      module: DiscoveryModule,
      imports: [ClientsModule, KeysModule, ServedScopesModule],
      providers: [ExchangeOffer],
      controllers: discoveryControllers(config),
    };
  }
}
