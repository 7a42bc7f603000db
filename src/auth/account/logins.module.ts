import { Module } from '@nestjs/common';
import { ClientsModule } from '../clients/clients.module.js';
import { LeasesModule } from '../leases/leases.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { LoginAudiences } from './login-audiences.js';
import { LoginIssuer } from './login-issuer.js';

/** Owns what people get when they have logged in; never the proof of the password. */
@Module({
  imports: [ClientsModule, LeasesModule, TelemetryModule, TokensModule],
  providers: [LoginAudiences, LoginIssuer],
  exports: [LoginAudiences, LoginIssuer],
})
export class LoginsModule {}
