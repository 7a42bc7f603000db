import { Module } from '@nestjs/common';
import { SecretKeyRegister } from './secret-key-register.js';

/** Owns which SECRET_KEYs the database has seen, and what still needs them; never a key itself. */
@Module({ providers: [SecretKeyRegister], exports: [SecretKeyRegister] })
export class SecretsModule {}
