import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ClientsModule } from '../clients/clients.module.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { ClientDocument } from './client-document.entity.js';
import { ClientDocuments } from './documents/client-documents.js';
import { DocumentReader } from './documents/document-reader.js';
import { GuardedFetch } from './documents/guarded-fetch.js';

/** Owns the metadata documents at addresses that strangers name; never what people let these clients do. */
@Module({
  imports: [ClientsModule, OutboundModule, ThrottleModule, TypeOrmModule.forFeature([ClientDocument])],
  providers: [ClientDocuments, DocumentReader, GuardedFetch],
  exports: [ClientDocuments],
})
export class ClientDocumentsModule {}
