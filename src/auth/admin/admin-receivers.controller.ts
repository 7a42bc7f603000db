import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Reason } from '../../http/errors/reasons.js';
import { WireError } from '../../http/errors/wire-error.js';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { Actors } from '../audit/actor.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import type { List } from '../lists/list.schemas.js';
import { ApiUuid, UuidPipe } from '../path-id.js';
import { isEventName } from '../receivers/event-types.js';
import type { ReceiverFlaw } from '../receivers/new-receiver.js';
import { Receivers } from '../receivers/receivers.js';
import type { ReceiverRow } from '../receivers/receivers.sql.js';
import * as schemas from './admin-receivers.schemas.js';
import { ForAdmins, found } from './for-admins.js';

const ApiReceiver = (): MethodDecorator => ApiUuid('id', 'The id of the receiver.');

/** Who is told of what ends, by events that are pushed (RFC 8935). */
@Controller('admin/receivers')
@ForAdmins()
export class AdminReceiversController {
  constructor(
    private readonly receivers: Receivers,
    private readonly actors: Actors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Who is told of what ends, by name',
    description:
      'And how that goes: what waits, since when something fails, and what was given up. There is one page.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.receiverList, 'All of them.')
  async list(): Promise<List<schemas.ReceiverItem>> {
    return { items: (await this.receivers.list()).map(itemOf), next: null };
  }

  @Post()
  @ApiOperation({
    summary: 'Has somebody told of what ends',
    description:
      'From now on Security Event Tokens (RFC 8417) are POSTed there, signed by the keys of the JWKS. 10 receivers at most.',
    tags: ['admin'],
  })
  @ApiAnswer(201, schemas.receiverItem, 'The receiver.')
  @ApiErrors('invalid_request', 'name_taken')
  async add(
    @Body({ schema: schemas.receiverRequest }) body: schemas.ReceiverRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.ReceiverItem> {
    const made = await this.receivers.add(body, await this.actors.of(caller));
    if ('flaw' in made) throw refusalOf(made.flaw);
    return itemOf(made.added);
  }

  @Get(':id')
  @ApiReceiver()
  @ApiOperation({ summary: 'One receiver, and how it goes', tags: ['admin'] })
  @ApiAnswer(200, schemas.receiverItem, 'The receiver.')
  @ApiErrors('not_found')
  async show(@Param('id', UuidPipe) id: string): Promise<schemas.ReceiverItem> {
    return itemOf(found(await this.receivers.find(id)));
  }

  @Post(':id/test')
  @HttpCode(202)
  @ApiReceiver()
  @ApiOperation({
    summary: 'Tries a receiver',
    description:
      'It is sent a `verification` event, at once and once. Look at `verified_at` and `last_error` when it is no longer `verifying`.',
    tags: ['admin'],
  })
  @ApiAnswer(202, schemas.receiverItem, 'The event is on its way. The receiver, as it was before.')
  @ApiErrors('not_found')
  async test(
    @Param('id', UuidPipe) id: string,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.ReceiverItem> {
    const receiver = found(await this.receivers.find(id));
    if (!(await this.receivers.verify(id, await this.actors.of(caller)))) throw new WireError('not_found');
    return itemOf(receiver);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiReceiver()
  @ApiOperation({
    summary: 'Has a receiver told nothing any more',
    description: 'What it has not taken yet goes with it.',
    tags: ['admin'],
  })
  @ApiAnswer(204, undefined, 'It is told nothing any more.')
  @ApiErrors('not_found')
  async remove(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<void> {
    if (!(await this.receivers.remove(id, await this.actors.of(caller)))) throw new WireError('not_found');
  }
}

const REFUSALS: Readonly<Record<Exclude<ReceiverFlaw, 'name_taken'>, readonly [Reason, string?]>> = {
  name_invalid: ['bad_receiver_name', 'name'],
  url_invalid: ['bad_receiver_url', 'url'],
  audience_invalid: ['bad_receiver_audience', 'audience'],
  events_invalid: ['bad_events', 'events'],
  authorization_invalid: ['bad_authorization', 'authorization'],
  too_many: ['too_many_receivers'],
};

function refusalOf(flaw: ReceiverFlaw): WireError {
  return flaw === 'name_taken' ? new WireError('name_taken') : WireError.because(...REFUSALS[flaw]);
}

const timeOf = (date: Date | null): string | null => date?.toISOString() ?? null;

/** What anybody may see of it. */
function itemOf(row: ReceiverRow): schemas.ReceiverItem {
  const { id, name, url, audience, undelivered, delivered, refused } = row;
  return {
    ...{ id, name, url, audience, events: row.events?.filter(isEventName) ?? null },
    has_authorization: row.has_authorization,
    created_at: row.created_at.toISOString(),
    undelivered,
    oldest_at: timeOf(row.oldest_at),
    failing_since: timeOf(row.failing_since),
    last_error: row.last_error,
    delivered,
    delivered_at: timeOf(row.delivered_at),
    verifying: row.verifying,
    verified_at: timeOf(row.verified_at),
    refused,
    given_up: row.given_up,
    lost_at: timeOf(row.lost_at),
  };
}
