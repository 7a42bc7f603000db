import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LeasesModule } from '../leases/leases.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { ClientAssertions } from './client-assertions.js';
import { ClientAuthentication } from './client-authentication.js';
import { Client, ClientSecret } from './client.entity.js';
import { DemoApi } from './demo-api.js';
import { ClientsService } from './clients.service.js';
import { SelfRegisteredClients } from './self-registered-clients.js';

/** Owns systems and their secrets; never their tokens. */
@Module({
  imports: [TypeOrmModule.forFeature([Client, ClientSecret]), LeasesModule, TelemetryModule, TokensModule],
  providers: [ClientAssertions, ClientAuthentication, ClientsService, DemoApi, SelfRegisteredClients],
  exports: [ClientAuthentication, ClientsService, DemoApi, SelfRegisteredClients],
})
export class ClientsModule {}
