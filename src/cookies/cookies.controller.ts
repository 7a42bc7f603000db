import { Controller, Get } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Guarded } from 'keks-guard/swagger';
import { z } from 'zod';
import { ApiAnswer } from '../http/openapi/api-answer.js';

const cookiesAnswer = z
  .array(z.literal('Cookie'))
  .meta({ id: 'CookiesAnswer', example: ['Cookie', 'Cookie', 'Cookie'] });

@Controller('cookies')
export class CookiesController {
  @Get()
  @Guarded('cookies:eat')
  @ApiOperation({
    summary: 'Three cookies',
    description:
      'The factory asks the authority about the token, on every request. Authorize first: with a token, or as a client that was given the scope.',
    tags: ['cookies'],
  })
  @ApiAnswer(200, cookiesAnswer, 'To whom the factory trusts.')
  eat(): z.infer<typeof cookiesAnswer> {
    return ['Cookie', 'Cookie', 'Cookie'];
  }
}
