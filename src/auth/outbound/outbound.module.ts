import { Module } from '@nestjs/common';
import { OutboundRules } from './outbound-rules.js';

/** Owns how Keks asks at addresses that others name, and which addresses it may ask; never what it asks there. */
@Module({ providers: [OutboundRules], exports: [OutboundRules] })
export class OutboundModule {}
