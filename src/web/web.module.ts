import { Module } from '@nestjs/common';
import { ConsoleController } from './console.controller.js';
import { StoryController } from './story.controller.js';

/** Owns the pages that people look at. They use the same API as everybody. */
@Module({ controllers: [StoryController, ConsoleController] })
export class WebModule {}
