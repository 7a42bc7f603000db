import { Module } from '@nestjs/common';
import { Cursors } from './cursors.js';

/** Owns how lists are cut into pages; never what is in them. */
@Module({ providers: [Cursors], exports: [Cursors] })
export class ListsModule {}
