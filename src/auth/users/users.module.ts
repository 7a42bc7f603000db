import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GrantsModule } from '../grants/grants.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { ChosenPasswords } from './chosen-passwords.js';
import { DemoUser } from './demo-user.js';
import { FirstAdministrator } from './first-administrator.js';
import { LoginLane } from './login-lane.js';
import { NewPasswords } from './new-passwords.js';
import { PasswordHash } from './password-hash.js';
import { PasswordLogin } from './password-login.js';
import { PasswordPolicy } from './password-policy.js';
import { PasswordResets } from './password-resets.js';
import { ResetCodes } from './reset-codes.js';
import { StoredPasswords } from './stored-passwords.js';
import { UserChanges } from './user-changes.js';
import { UserImport } from './user-import.js';
import { User } from './user.entity.js';
import { UsersDirectory } from './users-directory.js';
import { UsersService } from './users.service.js';

/** Owns people and their passwords; never tokens. */
@Module({
  imports: [TypeOrmModule.forFeature([User]), GrantsModule, SecretsModule, ThrottleModule],
  providers: [
    ChosenPasswords,
    DemoUser,
    FirstAdministrator,
    LoginLane,
    NewPasswords,
    PasswordHash,
    PasswordLogin,
    PasswordPolicy,
    PasswordResets,
    ResetCodes,
    StoredPasswords,
    UserChanges,
    UserImport,
    UsersDirectory,
    UsersService,
  ],
  exports: [
    ChosenPasswords,
    DemoUser,
    FirstAdministrator,
    LoginLane,
    NewPasswords,
    PasswordHash,
    PasswordLogin,
    PasswordResets,
    UserChanges,
    UserImport,
    UsersDirectory,
    UsersService,
  ],
})
export class UsersModule {}
