import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import type { Config } from '../config/config.js';
import { ConfigModule } from '../config/config.module.js';
import { AdminClientSecretsController } from './admin/admin-client-secrets.controller.js';
import { AdminClientsController } from './admin/admin-clients.controller.js';
import { AdminGrantsController } from './admin/admin-grants.controller.js';
import { AdminUsersController } from './admin/admin-users.controller.js';
import { ApiKeysController } from './api-keys/api-keys.controller.js';
import { AuditController } from './admin/admin-audit.controller.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { AUTH_REPOSITORIES, AUTH_SERVICES } from './auth.services.js';
import { discoveryControllers } from './discovery/discovery.controllers.js';
import { ServedScopes } from './discovery/served-scopes.js';
import { DemoUser } from './users/demo-user.js';
import { OAuthController } from './oauth/oauth.controller.js';
import { PasswordController } from './account/password.controller.js';
import { SessionsController } from './account/sessions.controller.js';
import { KeySchedule } from './keys/key-schedule.js';
import { LocalStrategy } from './users/local.strategy.js';
import { LoginLane } from './users/login-lane.js';
import { UsersService } from './users/users.service.js';
import { TokenStoryController } from './story/token-story.controller.js';
import { Telemetry } from './telemetry.js';
import { TokenKeys } from './tokens/token-keys.js';
import { TokenLookup } from './tokens/token-lookup.js';

/**
 * Owns users, grants and tokens: proof of identity in, a token out; a token in, a verdict out. It never knows what its
 * tokens are used for.
 */
@Module({})
export class AuthModule {
  static of(config: Config, database: DynamicModule): DynamicModule {
    return {
      module: AuthModule,
      imports: [
        ConfigModule.of(config),
        database,
        AUTH_REPOSITORIES,
        DiscoveryModule,
        PassportModule.register({ session: false }),
      ],
      controllers: [
        AuthController,
        OAuthController,
        ApiKeysController,
        SessionsController,
        PasswordController,
        AdminUsersController,
        AdminGrantsController,
        AdminClientsController,
        AdminClientSecretsController,
        AuditController,
        TokenStoryController,
        ...discoveryControllers(config),
      ],
      providers: [...AUTH_SERVICES, LocalStrategy, ServedScopes, KeySchedule],
      exports: [AuthService, UsersService, DemoUser, TokenKeys, TokenLookup, Telemetry, LoginLane],
    };
  }
}
