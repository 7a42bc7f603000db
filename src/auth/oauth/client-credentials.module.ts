import { Module } from '@nestjs/common';
import { ClientsModule } from '../clients/clients.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { ClientCredentialsGrant } from './client-credentials-grant.js';
import { ClientReach } from './client-reach.js';
import { ClientTokens } from './client-tokens.js';

/** Owns the tokens that a client gets for itself; never the check of its secret. */
@Module({
  imports: [ClientsModule, TelemetryModule, TokensModule],
  providers: [ClientCredentialsGrant, ClientReach, ClientTokens],
  exports: [ClientCredentialsGrant, ClientReach],
})
export class ClientCredentialsModule {}
