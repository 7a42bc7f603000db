import { Module } from '@nestjs/common';
import { SecretKeyRegister } from './secret-key-register.js';

/** Owns which SECRET_KEY the database has seen, and what still needs it; never the key itself. */
@Module({ providers: [SecretKeyRegister], exports: [SecretKeyRegister] })
export class SecretsModule {}
