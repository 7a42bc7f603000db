import { Module } from '@nestjs/common';
import { LeasesModule } from '../leases/leases.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { LoginIssuer } from './login-issuer.js';

/** Owns what a person gets who has logged in; never the proof of the password. */
@Module({
  imports: [LeasesModule, TelemetryModule, TokensModule],
  providers: [LoginIssuer],
  exports: [LoginIssuer],
})
export class LoginsModule {}
