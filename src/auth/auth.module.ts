import { Module, type DynamicModule } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import type { Config } from '../config.js';
import { ConfigModule } from '../config/config.module.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { DemoUser } from './users/demo-user.js';
import { LocalStrategy } from './users/local.strategy.js';
import { LoginLane } from './users/login-lane.js';
import { PasswordHash } from './users/password-hash.js';
import { PasswordPolicy } from './users/password-policy.js';
import { UsersService } from './users/users.service.js';
import { TokenKeys } from './tokens/token-keys.js';
import { TokenLookup } from './tokens/token-lookup.js';
import { TokenCheck } from './tokens/token-check.js';
import { TokenMint } from './tokens/token-mint.js';
import { TokenReader } from './tokens/token-reader.js';
import { TokenRevocation } from './tokens/token-revocation.js';
import { LastUse } from './grants/last-use.js';
import { LoginIssuer } from './grants/login.issuer.js';
import { JwtReader } from './keys/jwt.reader.js';
import { JwtSigner } from './keys/jwt.signer.js';

/**
 * Owns users, grants and tokens: proof of identity in, a token out; a token in, a verdict out. It never knows what its
 * tokens are used for.
 */
@Module({})
export class AuthModule {
  static of(config: Config, database: DynamicModule): DynamicModule {
    return {
      module: AuthModule,
      imports: [ConfigModule.of(config), database, PassportModule.register({ session: false })],
      controllers: [AuthController],
      providers: [
        AuthService,
        TokenKeys,
        TokenLookup,
        TokenMint,
        TokenReader,
        TokenCheck,
        TokenRevocation,
        LoginIssuer,
        LastUse,
        JwtReader,
        JwtSigner,
        UsersService,
        PasswordHash,
        PasswordPolicy,
        LoginLane,
        LocalStrategy,
        DemoUser,
      ],
      exports: [AuthService, UsersService, DemoUser, TokenKeys, TokenLookup],
    };
  }
}
