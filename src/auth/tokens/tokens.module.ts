import { Module } from '@nestjs/common';
import { GrantsModule } from '../grants/grants.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { LeasesModule } from '../leases/leases.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { JwtReader } from './jwt/jwt-reader.js';
import { JwtSigner } from './jwt/jwt-signer.js';
import { TokenCheck } from './token-check.js';
import { TokenExplainer } from './token-explainer.js';
import { TokenKeys } from './token-keys.js';
import { TokenLookup } from './token-lookup.js';
import { TokenMint } from './token-mint.js';
import { TokenReader } from './token-reader.js';
import { TokenRevocation } from './token-revocation.js';

/** Owns how tokens are spelled, stored and judged; never who may have a token. */
@Module({
  imports: [GrantsModule, KeysModule, LeasesModule, TelemetryModule],
  providers: [
    JwtReader,
    JwtSigner,
    TokenCheck,
    TokenExplainer,
    TokenKeys,
    TokenLookup,
    TokenMint,
    TokenReader,
    TokenRevocation,
  ],
  exports: [TokenCheck, TokenExplainer, TokenKeys, TokenLookup, TokenMint, TokenReader, TokenRevocation],
})
export class TokensModule {}
