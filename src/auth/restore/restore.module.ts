import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { UsersModule } from '../users/users.module.js';
import { RestoredAccess } from './restored-access.js';

/** Owns the end of the credentials and keys that a restored backup brings back; never the restore itself. */
@Module({ imports: [KeysModule, UsersModule], providers: [RestoredAccess], exports: [RestoredAccess] })
export class RestoreModule {}
