import { Controller, Get } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { z } from 'zod';
import { Database } from '../database/database.js';
import { Public } from '../guard/principal.js';
import { ApiAnswer } from '../http/api-answer.js';
import { DrainState } from '../http/drain.js';
import { Unavailable } from '../http/unavailable.js';

const healthAnswer = z.object({ status: z.literal('ok') }).meta({ id: 'HealthAnswer' });
type HealthAnswer = z.infer<typeof healthAnswer>;

const PRIMARY_ANSWERS = { name: 'primary_answers', text: 'SELECT 1 AS answer' };

@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly drain: DrainState,
  ) {}

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

  /** Asks the primary on the connections that validations use. */
  @Get('ready')
  @ApiOperation({
    summary: 'Can it answer requests?',
    description:
      'Asks the primary, over the connections that validations use. Send it requests only while this is 200.',
    tags: ['operating'],
  })
  @ApiAnswer(200, healthAnswer, 'The database answers, and the process is not on its way out.')
  async ready(): Promise<HealthAnswer> {
    if (this.drain.draining) throw new Unavailable('shutting down');
    await this.database.runHot(PRIMARY_ANSWERS, []);
    return { status: 'ok' };
  }
}
