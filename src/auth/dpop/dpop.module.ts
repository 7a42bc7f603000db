import { Module } from '@nestjs/common';
import { AuthorityProofs } from './authority-proofs.js';
import { ProvenKeyPipe } from './proven-key.pipe.js';
import { UsedProofs } from './used-proofs.js';

/** Owns whether whoever sends a request has the key that goes with it (RFC 9449); never what that key opens. */
@Module({
  providers: [AuthorityProofs, ProvenKeyPipe, UsedProofs],
  exports: [AuthorityProofs, ProvenKeyPipe],
})
export class DpopModule {}
