import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { ConsoleController } from './console.controller.js';
import { ConsoleHomeController } from './console-home.controller.js';
import { PAGE_LINKS, type PageLinks } from './page-files.js';
import { SharedPartsController } from './shared-parts.controller.js';
import { StoryController } from './story.controller.js';

const HOMES: Readonly<Record<Config['HOME_PAGE'], readonly Type[]>> = {
  story: [StoryController],
  console: [ConsoleHomeController],
  none: [],
};

/** Owns the pages for people. The pages use the same API as everybody. */
@Module({})
export class WebModule {
  /** @param lease whether there is an API whose guard holds a lease */
  static of({ OPS_PORT, HOME_PAGE }: Pick<Config, 'OPS_PORT' | 'HOME_PAGE'>, lease: boolean): DynamicModule {
    const links: PageLinks = { reference: OPS_PORT === undefined, story: HOME_PAGE === 'story', lease };
    return {
      module: WebModule,
      controllers: [...HOMES[HOME_PAGE], ConsoleController, SharedPartsController],
      providers: [{ provide: PAGE_LINKS, useValue: links }],
    };
  }
}
