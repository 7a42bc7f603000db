import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LeasesModule } from '../leases/leases.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { KeyCipher } from './key-cipher.js';
import { KeyRing } from './key-ring.js';
import { KeyUpkeep } from './key-upkeep.js';
import { PublishedKeys } from './published-keys.js';
import { SigningKey } from './signing-key.entity.js';
import { SigningKeys } from './signing-keys.js';

/** Owns the keys that sign; never what is signed. */
@Module({
  imports: [LeasesModule, SecretsModule, TypeOrmModule.forFeature([SigningKey])],
  providers: [KeyCipher, KeyRing, KeyUpkeep, PublishedKeys, SigningKeys],
  exports: [KeyCipher, KeyRing, KeyUpkeep, PublishedKeys, SigningKeys],
})
export class KeysModule {}
