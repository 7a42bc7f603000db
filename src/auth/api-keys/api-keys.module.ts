import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ListsModule } from '../lists/lists.module.js';
import { GrantsModule } from '../grants/grants.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { UsersModule } from '../users/users.module.js';
import { ApiKeyIssuer } from './api-key-issuer.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';

/** Owns long-lived keys of people's scripts; never how a key is judged. */
@Module({
  imports: [AuditModule, ListsModule, GrantsModule, TelemetryModule, TokensModule, UsersModule],
  controllers: [ApiKeysController],
  providers: [ApiKeyIssuer, ApiKeysService],
})
export class ApiKeysModule {}
