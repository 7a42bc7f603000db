import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { WireError } from '../../http/errors/wire-error.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import { Actors } from '../audit/actor.js';
import { Cursors } from '../lists/cursors.js';
import type { GrantItem } from '../grants/grant.schemas.js';
import { GrantsService } from '../grants/grants.service.js';
import type { GrantRow } from '../grants/grants.sql.js';
import type { List } from '../lists/list.schemas.js';
import { ApiUuid, UuidPipe } from '../path-id.js';
import { grantList, grantQuery, type GrantQuery } from './admin-grants.schemas.js';
import { ForAdmins } from './for-admins.js';

/** Why tokens exist: logins, API keys and clients, for operators. */
@Controller('admin/grants')
@ForAdmins()
export class AdminGrantsController {
  constructor(
    private readonly grants: GrantsService,
    private readonly actors: Actors,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Living grants, newest first',
    description: 'A grant is why tokens exist: a login, an API key, or the standing permission of a client.',
    tags: ['admin'],
  })
  @ApiAnswer(
    200,
    grantList,
    'One page of them. It may hold few or none, and there are more as long as `next` is not null.',
  )
  @ApiErrors('invalid_request')
  list(@Query({ schema: grantQuery }) query: GrantQuery): Promise<List<GrantItem>> {
    const { user_id: userId, client_id: clientId } = query;
    return this.cursors.part(
      ['admin/grants', userId ?? '', clientId ?? ''],
      query,
      (after, limit) => this.grants.list({ userId, clientId }, limit, after),
      itemOf,
    );
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiUuid('id', 'The id of the grant: of a login, a key, or the standing one of a client.')
  @ApiOperation({
    summary: 'Ends a grant, with all of its tokens',
    description:
      'They are dead everywhere when this is answered. A client gets a new grant the next time it asks for a token.',
    tags: ['admin'],
  })
  @ApiAnswer(204, undefined, 'All of its tokens are dead.')
  @ApiErrors('not_found')
  async revoke(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<void> {
    const by = await this.actors.of(caller);
    if (!(await this.grants.revoke(id, by))) throw new WireError('not_found');
  }
}

function itemOf(row: GrantRow): GrantItem {
  const { position: _, created_at: createdAt, last_used_at: usedAt, expires_at: expiresAt, ...grant } = row;
  return {
    ...grant,
    created_at: createdAt.toISOString(),
    last_used_at: usedAt?.toISOString() ?? null,
    expires_at: expiresAt?.toISOString() ?? null,
  };
}
