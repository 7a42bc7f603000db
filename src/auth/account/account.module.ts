import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ListsModule } from '../lists/lists.module.js';
import { GrantsModule } from '../grants/grants.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { UsersModule } from '../users/users.module.js';
import { PasswordChange } from './password-change.js';
import { PasswordController } from './password.controller.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';

/** Owns what a person does with their own login: sessions, password. Never somebody else's. */
@Module({
  imports: [AuditModule, ListsModule, GrantsModule, ThrottleModule, UsersModule],
  controllers: [SessionsController, PasswordController],
  providers: [PasswordChange, SessionsService],
})
export class AccountModule {}
