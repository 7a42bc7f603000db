import { Module, type DynamicModule } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { ConsoleController } from './console.controller.js';
import { HAS_REFERENCE } from './page-files.js';
import { StoryController } from './story.controller.js';

/** Owns the pages that people look at. They use the same API as everybody. */
@Module({})
export class WebModule {
  static of({ OPS_PORT }: Pick<Config, 'OPS_PORT'>): DynamicModule {
    return {
      module: WebModule,
      controllers: [StoryController, ConsoleController],
      providers: [{ provide: HAS_REFERENCE, useValue: OPS_PORT === undefined }],
    };
  }
}
