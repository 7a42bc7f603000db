import { Module } from '@nestjs/common';
import { LoginsModule } from '../account/logins.module.js';
import { LeasesModule } from '../leases/leases.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { ClientsModule } from '../clients/clients.module.js';
import { GrantsModule } from '../grants/grants.module.js';
import { ClientDocumentsModule } from '../registration/client-documents.module.js';
import { ScopesModule } from '../scopes/scopes.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { UsersModule } from '../users/users.module.js';
import { AuthorizationFlow } from './authorization-flow.js';
import { AuthorizationRequests } from './authorization-requests.js';
import { AuthorizeController } from './authorize.controller.js';
import { BrowserCookies } from './browser-cookies.js';
import { BrowserLogins } from './browser-logins.js';
import { BrowserSessions } from './browser-sessions.js';
import { ConsentsController } from './consents.controller.js';
import { ConsentsModule } from './consents.module.js';
import { FormProof } from './form-proof.js';
import { PushedRequests } from './pushed-requests.js';
import { RequestedAccess } from './requested-access.js';
import { PageForms } from './page-forms.js';
import { SignOut } from './sign-out.js';

/** Owns that a person lets a client act for them; never what the client then does. */
@Module({
  imports: [
    AuditModule,
    ClientDocumentsModule,
    ClientsModule,
    ConsentsModule,
    GrantsModule,
    LeasesModule,
    LoginsModule,
    ScopesModule,
    TelemetryModule,
    ThrottleModule,
    TokensModule,
    UsersModule,
  ],
  controllers: [AuthorizeController, ConsentsController],
  providers: [
    AuthorizationFlow,
    AuthorizationRequests,
    BrowserCookies,
    BrowserLogins,
    BrowserSessions,
    FormProof,
    PageForms,
    PushedRequests,
    RequestedAccess,
    SignOut,
  ],
  exports: [
    AuthorizationRequests,
    BrowserCookies,
    BrowserLogins,
    BrowserSessions,
    FormProof,
    PushedRequests,
    RequestedAccess,
    SignOut,
  ],
})
export class AuthorizeModule {}
