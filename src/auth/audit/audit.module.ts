import { Module } from '@nestjs/common';
import { Actors } from './actor.js';
import { AuditLog } from './audit-log.js';
import { Refusals } from './refusals.js';

/** Owns who did what, in the transaction in which it was done; never why it was allowed. */
@Module({ providers: [Actors, AuditLog, Refusals], exports: [Actors, AuditLog, Refusals] })
export class AuditModule {}
