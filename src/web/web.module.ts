import { Module } from '@nestjs/common';
import { WebController } from './web.controller.js';

/** Owns the pages that people look at. They use the same API as everybody. */
@Module({ controllers: [WebController] })
export class WebModule {}
