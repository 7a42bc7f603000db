import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ClientsModule } from '../clients/clients.module.js';
import { ReceiversModule } from '../receivers/receivers.module.js';
import { InitialAccessTokensModule } from '../registration/initial-access-tokens.module.js';
import { LeasesModule } from '../leases/leases.module.js';
import { ListsModule } from '../lists/lists.module.js';
import { ServedScopesModule } from '../discovery/served-scopes.module.js';
import { GrantsModule } from '../grants/grants.module.js';
import { ScopesModule } from '../scopes/scopes.module.js';
import { StoryModule } from '../story/story.module.js';
import { UsersModule } from '../users/users.module.js';
import { AuditController } from './admin-audit.controller.js';
import { AdminClientSecretsController } from './admin-client-secrets.controller.js';
import { AdminClientsController } from './admin-clients.controller.js';
import { AdminInitialTokensController } from './admin-initial-tokens.controller.js';
import { AdminGrantsController } from './admin-grants.controller.js';
import { AdminPasswordResetsController } from './admin-password-resets.controller.js';
import { AdminGuardsController } from './admin-guards.controller.js';
import { AdminReceiversController } from './admin-receivers.controller.js';
import { TokenStoryController } from './admin-token-story.controller.js';
import { AdminScopesController } from './admin-scopes.controller.js';
import { AdminUsersController } from './admin-users.controller.js';

/** Owns what administrators do over HTTP; never what it means, which its neighbours know. */
@Module({
  imports: [
    AuditModule,
    ClientsModule,
    InitialAccessTokensModule,
    LeasesModule,
    ListsModule,
    GrantsModule,
    ReceiversModule,
    ScopesModule,
    ServedScopesModule,
    StoryModule,
    UsersModule,
  ],
  controllers: [
    AdminUsersController,
    AdminPasswordResetsController,
    AdminGrantsController,
    AdminGuardsController,
    AdminClientsController,
    AdminClientSecretsController,
    AdminInitialTokensController,
    AdminScopesController,
    AdminReceiversController,
    AuditController,
    TokenStoryController,
  ],
})
export class AdminModule {}
