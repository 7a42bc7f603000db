import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation } from '@nestjs/swagger';
import { z } from 'zod';
import { RequireScope } from '../guard/principal.js';
import { ApiAnswer } from '../http/api-answer.js';

const cookiesAnswer = z
  .array(z.literal('Cookie'))
  .meta({ id: 'CookiesAnswer', example: ['Cookie', 'Cookie', 'Cookie'] });

@Controller('cookies')
export class CookiesController {
  @Get()
  @RequireScope('cookies:eat')
  @ApiBearerAuth('bearer')
  @ApiOperation({ summary: 'Three cookies', tags: ['cookies'] })
  @ApiAnswer(200, cookiesAnswer, 'To whom the factory trusts.')
  eat(): z.infer<typeof cookiesAnswer> {
    return ['Cookie', 'Cookie', 'Cookie'];
  }
}
