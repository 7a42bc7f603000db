import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { KeysModule } from '../keys/keys.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { Receiver } from './receiver.entity.js';
import { ReceiverRules } from './receiver-rules.js';
import { Receivers } from './receivers.js';
import { SealedAuthorizations } from './sealed-authorizations.js';
import { UndeliveredEvent } from './undelivered-event.entity.js';

/** Owns who is told of ends and of attacks; never what ends. */
@Module({
  imports: [KeysModule, SecretsModule, TypeOrmModule.forFeature([Receiver, UndeliveredEvent])],
  providers: [ReceiverRules, Receivers, SealedAuthorizations],
  exports: [ReceiverRules, Receivers, SealedAuthorizations],
})
export class ReceiversModule {}
