import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { PasswordResetController } from './password-reset.controller.js';

/** Owns the page on which somebody who was given a link chooses a new password; never who is given one. */
@Module({ imports: [UsersModule], controllers: [PasswordResetController] })
export class ResetsModule {}
