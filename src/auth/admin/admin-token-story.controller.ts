import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { ForAdmins, found } from './for-admins.js';
import { storyAnswer, storyRequest, type Story, type StoryRequest } from '../story/token-story.schemas.js';
import { TokenStory } from '../story/token-story.js';

/** The life of one token, for operators. A POST, because a token must never stand in a URL. */
@Controller('admin/tokens')
@ForAdmins()
export class TokenStoryController {
  constructor(private readonly stories: TokenStory) {}

  @Post('story')
  @HttpCode(200)
  @ApiOperation({ summary: 'The life of a token, or of a grant, as a sequence', tags: ['admin'] })
  @ApiAnswer(200, storyAnswer, 'What happened to it and to its grant. Ids only, never a token.')
  @ApiErrors('invalid_request', 'not_found')
  async tell(@Body({ schema: storyRequest }) { token, id }: StoryRequest): Promise<Story> {
    return found(
      await (token === undefined ? this.stories.ofId((id ?? '').toLowerCase()) : this.stories.ofToken(token)),
    );
  }
}
