import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ClientsModule } from '../clients/clients.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { AuthorizeModule } from './authorize.module.js';
import { DpopModule } from '../dpop/dpop.module.js';
import { ClientDocumentsModule } from '../registration/client-documents.module.js';
import { ParController } from './par.controller.js';

/** Owns that a client pushes its request before it sends a person; never how the request is checked. */
@Module({
  imports: [DpopModule, AuditModule, AuthorizeModule, ClientDocumentsModule, ClientsModule, ThrottleModule],
  controllers: [ParController],
})
export class ParModule {}
