import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { Delivery } from './delivery.js';
import { EventSender } from './event-sender.js';
import { EventSigner } from './event-signer.js';
import { ReceiverUpkeep } from './receiver-upkeep.js';
import { ReceiversModule } from './receivers.module.js';

/** Owns the sending of events to receivers, on servers only; never who the receivers are. */
@Module({
  imports: [KeysModule, ReceiversModule],
  providers: [Delivery, EventSender, EventSigner, ReceiverUpkeep],
  exports: [ReceiverUpkeep],
})
export class EventSenderModule {}
