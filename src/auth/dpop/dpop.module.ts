import { Module } from '@nestjs/common';
import { AuthorityProofs } from './authority-proofs.js';
import { ProvenKeyPipe } from './proven-key.pipe.js';
import { UsedProofs } from './used-proofs.js';

/** Owns whether the sender of a request holds the key of its proof (RFC 9449); never what that key opens. */
@Module({
  providers: [AuthorityProofs, ProvenKeyPipe, UsedProofs],
  exports: [AuthorityProofs, ProvenKeyPipe],
})
export class DpopModule {}
