import { Controller, Get } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Public } from 'keks-guard';
import { z } from 'zod';
import { ApiAnswer } from '../http/openapi/api-answer.js';
import { Readiness } from './readiness.js';

const healthAnswer = z.object({ status: z.literal('ok') }).meta({ id: 'HealthAnswer' });
type HealthAnswer = z.infer<typeof healthAnswer>;

@Public()
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @ApiOperation({
    summary: 'Is the process alive?',
    description: 'Restart it when this fails.',
    tags: ['operating'],
  })
  @ApiAnswer(200, healthAnswer, 'It is. Says nothing of the database.')
  live(): HealthAnswer {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Can it answer requests?',
    description:
      'Asks the primary, over the connections that validations use. Send it requests only while this is 200.',
    tags: ['operating'],
  })
  @ApiAnswer(200, healthAnswer, 'The database answers, and the process is not on its way out.')
  async ready(): Promise<HealthAnswer> {
    await this.readiness.check();
    return { status: 'ok' };
  }
}
