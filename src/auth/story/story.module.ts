import { Module } from '@nestjs/common';
import { TokensModule } from '../tokens/tokens.module.js';
import { TokenStory } from './token-story.js';

/** Owns the life of a token, told; never who may hear it. */
@Module({ imports: [TokensModule], providers: [TokenStory], exports: [TokenStory] })
export class StoryModule {}
