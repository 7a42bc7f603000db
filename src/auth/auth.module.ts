import { Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { LoginsModule } from './account/logins.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { DpopModule } from './dpop/dpop.module.js';
import { LocalStrategy } from './local.strategy.js';
import { ThrottleModule } from './throttle/throttle.module.js';
import { TokensModule } from './tokens/tokens.module.js';
import { UsersModule } from './users/users.module.js';

/**
 * Owns the three verbs: issue (proof of identity in, a token out), validate (a token in, a verdict out) and revoke (at
 * once). It never knows what its tokens are used for.
 */
@Module({
  imports: [
    AuditModule,
    DpopModule,
    LoginsModule,
    ThrottleModule,
    TokensModule,
    UsersModule,
    PassportModule.register({ session: false }),
  ],
  controllers: [AuthController],
  providers: [AuthService, LocalStrategy],
  exports: [AuthService],
})
export class AuthModule {}
