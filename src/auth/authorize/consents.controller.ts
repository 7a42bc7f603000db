import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiOperation, ApiParam } from '@nestjs/swagger';
import { CurrentPrincipal } from 'keks-guard';
import type { GrantedPrincipal } from 'keks-guard/internals';
import { WireError } from '../../http/errors/wire-error.js';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { OwnAccount } from '../account/own-account.js';
import { Actors } from '../audit/actor.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import type { List } from '../lists/list.schemas.js';
import { consentList, itemOf, type ConsentItem } from './consents.schemas.js';
import { ConsentsService } from './consents.service.js';

/** Lists and ends the consents that a person has given to clients. */
@Controller('consents')
@OwnAccount()
export class ConsentsController {
  constructor(
    private readonly consents: ConsentsService,
    private readonly actors: Actors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Which programs may act for you',
    description:
      'One item a client, however often you have let it in; the last one first. There is one page.',
    tags: ['account'],
  })
  @ApiAnswer(200, consentList, 'All of them.')
  async list(@CurrentPrincipal() { subject }: GrantedPrincipal): Promise<List<ConsentItem>> {
    return { items: (await this.consents.list(subject)).map(itemOf), next: null };
  }

  @Delete(':client_id')
  @HttpCode(204)
  @ApiParam({ name: 'client_id', description: 'Of the client.', schema: { type: 'string' } })
  @ApiOperation({
    summary: 'Ends what you have allowed a program',
    description: 'All that it has got in your name is dead when this is answered, and you are asked again.',
    tags: ['account'],
  })
  @ApiAnswer(204, undefined, 'It may nothing in your name any more.')
  @ApiErrors('not_found')
  async end(@Param('client_id') clientId: string, @CurrentCaller() caller: Caller): Promise<void> {
    const by = await this.actors.of(caller);
    if (!(await this.consents.end(caller.principal.subject, clientId, by))) throw new WireError('not_found');
  }
}
