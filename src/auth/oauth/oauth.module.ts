import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ClientsModule } from '../clients/clients.module.js';
import { DpopModule } from '../dpop/dpop.module.js';
import { GrantsModule } from '../grants/grants.module.js';
import { LeasesModule } from '../leases/leases.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { ClientCredentialsModule } from './client-credentials.module.js';
import { ClientGrants } from './client-grants.js';
import { CodeGrant } from './code-grant.js';
import { ConsentGrants } from './consent-grants.js';
import { ConsentTokens } from './consent-tokens.js';
import { DeviceGrant } from './device-grant.js';
import { ExchangeGrant } from './exchange-grant.js';
import { ExchangedTokens } from './exchanged-tokens.js';
import { Introspection } from './introspection.js';
import { OAuthRevocation } from './oauth-revocation.js';
import { OAuthController } from './oauth.controller.js';
import { RefreshGrant } from './refresh-grant.js';
import { RefreshPairs } from './refresh-pairs.js';
import { RefreshRequests } from './refresh-requests.js';
import { Replays } from './replays.js';
import { RevocationFeedController } from './revocation-feed.controller.js';
import { RevocationFeed } from './revocation-feed.js';
import { Rotations } from './rotations.js';
import { ShownTokens } from './shown-tokens.js';
import { Successors } from './successors.js';
import { TokenEndpoint } from './token-endpoint.js';

/** Owns the meaning of OAuth 2 requests; never how a token is stored. */
@Module({
  imports: [
    AuditModule,
    ClientCredentialsModule,
    ClientsModule,
    DpopModule,
    GrantsModule,
    LeasesModule,
    TelemetryModule,
    ThrottleModule,
    TokensModule,
  ],
  controllers: [OAuthController, RevocationFeedController],
  providers: [
    ClientGrants,
    CodeGrant,
    ConsentGrants,
    ConsentTokens,
    DeviceGrant,
    ExchangeGrant,
    ExchangedTokens,
    Introspection,
    OAuthRevocation,
    RefreshGrant,
    RefreshPairs,
    RefreshRequests,
    Replays,
    RevocationFeed,
    Rotations,
    ShownTokens,
    Successors,
    TokenEndpoint,
  ],
})
export class OAuthModule {}
