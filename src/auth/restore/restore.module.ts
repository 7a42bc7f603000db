import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { UsersModule } from '../users/users.module.js';
import { RestoredAccess } from './restored-access.js';

/** Owns what a restored backup brings back to life, and its end; never the restoring. */
@Module({ imports: [KeysModule, UsersModule], providers: [RestoredAccess], exports: [RestoredAccess] })
export class RestoreModule {}
