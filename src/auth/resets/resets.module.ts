import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { PasswordResetController } from './password-reset.controller.js';

/** Owns the page on which the holder of a link chooses a new password; never who gets a link. */
@Module({ imports: [UsersModule], controllers: [PasswordResetController] })
export class ResetsModule {}
