import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal } from 'keks-guard';
import type { GrantedPrincipal } from 'keks-guard/internals';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { WireError } from '../../http/errors/wire-error.js';
import { CurrentCaller, CurrentOrigin, type Caller } from '../current-caller.js';
import type { RequestOrigin } from '../request-origin.js';
import { Actors } from '../audit/actor.js';
import { Cursors } from '../lists/cursors.js';
import { GrantsService } from '../grants/grants.service.js';
import type { OwnGrantRows } from '../grants/grants.sql.js';
import { pageQuery, type List, type PageQuery } from '../lists/list.schemas.js';
import { OwnAccount } from './own-account.js';
import { ApiUuid, UuidPipe } from '../path-id.js';
import { sessionLabel } from './session-label.js';
import { endQuery, sessionList, type EndQuery, type Session } from './sessions.schemas.js';
import { SessionsService } from './sessions.service.js';

/** A person's own logins: where they are, and their end. */
@Controller('sessions')
@OwnAccount()
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly grants: GrantsService,
    private readonly actors: Actors,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Where you are logged in, newest first',
    description:
      'One item a login: from where, by what, last used when. `current` is the one of the token that asks.',
    tags: ['account'],
  })
  @ApiAnswer(
    200,
    sessionList,
    'One page of your living logins. It may hold few or none, and there are more as long as `next` is not null.',
  )
  @ApiErrors('invalid_request')
  list(
    @Query({ schema: pageQuery }) query: PageQuery,
    @CurrentPrincipal() { subject, grantId }: GrantedPrincipal,
  ): Promise<List<Session>> {
    return this.cursors.part(
      ['sessions', subject],
      query,
      (after, limit) => this.grants.listOwn('login', subject, limit, after),
      (row) => sessionOf(row, grantId),
    );
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Logs you out everywhere, here too',
    description:
      'Every token of every login of yours is dead when this is answered, and so is the one that asks. API keys and what you allowed apps are no logins: they go on, unless `?keys=true` ends them too.',
    tags: ['account'],
  })
  @ApiAnswer(
    204,
    undefined,
    'All of your logins are over; your API keys and consents only if `keys` was `true`.',
  )
  @ApiErrors('invalid_request')
  async revokeAll(
    @Query({ schema: endQuery }) { keys }: EndQuery,
    @CurrentPrincipal() { subject }: Principal,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<void> {
    await this.sessions.revokeAll(subject, keys === 'true', origin);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiUuid('id', 'The id of the login.')
  @ApiOperation({
    summary: 'Ends one of your logins',
    description:
      'Its access tokens and its refresh token are dead when this is answered. The id is in `GET /sessions`.',
    tags: ['account'],
  })
  @ApiAnswer(204, undefined, 'The login is over, with all of its tokens.')
  @ApiErrors('not_found')
  async revoke(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<void> {
    const by = await this.actors.of(caller);
    const grant = { id, userId: caller.principal.subject, kind: 'login' } as const;
    if (!(await this.grants.revokeOwn(grant, 'session_revoked', by))) throw new WireError('not_found');
  }
}

function sessionOf(row: OwnGrantRows['login'], current: string): Session {
  return {
    id: row.id,
    label: row.label ?? sessionLabel(row.user_agent),
    ip: row.ip,
    user_agent: row.user_agent,
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
    expires_at: row.expires_at.toISOString(),
    current: row.id === current,
  };
}
