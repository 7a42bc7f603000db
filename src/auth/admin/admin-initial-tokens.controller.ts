import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { WireError } from '../../http/errors/wire-error.js';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { Actors } from '../audit/actor.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import { Cursors } from '../lists/cursors.js';
import { pageQuery, type List, type PageQuery } from '../lists/list.schemas.js';
import { ApiUuid, UuidPipe } from '../path-id.js';
import type { InitialAccessToken } from '../registration/initial-access-token.entity.js';
import { INITIAL_TOKEN_TTL, InitialAccessTokens } from '../registration/initial-access-tokens.js';
import * as schemas from './admin-initial-tokens.schemas.js';
import { ForAdmins } from './for-admins.js';

/** Tokens with which somebody whom an administrator trusts registers clients (RFC 7591 §1.2). */
@Controller('admin/initial-access-tokens')
@ForAdmins()
export class AdminInitialTokensController {
  constructor(
    private readonly tokens: InitialAccessTokens,
    private readonly actors: Actors,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'The initial access tokens, newest first',
    description: 'Who may still register clients with `REGISTRATION=token`. Never a token itself.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.initialTokenList, 'One page of them.')
  @ApiErrors('invalid_request')
  list(@Query({ schema: pageQuery }) query: PageQuery): Promise<List<schemas.InitialTokenItem>> {
    const read = this.tokens.page.bind(this.tokens);
    return this.cursors.page(['admin/initial-access-tokens'], query, read, itemOf);
  }

  @Post()
  @Header('Pragma', 'no-cache')
  @ApiOperation({
    summary: 'Lets somebody register clients',
    description:
      'Give the token to whoever registers a client at `POST /oauth/register`: it is the bearer token there, while `REGISTRATION` is `token`.',
    tags: ['admin'],
  })
  @ApiAnswer(201, schemas.addedInitialToken, 'The token. Nobody can show it to you again.')
  @ApiErrors('invalid_request')
  async add(
    @Body({ schema: schemas.initialTokenRequest }) body: schemas.InitialTokenRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.AddedInitialToken> {
    const { label, uses = 1, expires_in: expiresIn = INITIAL_TOKEN_TTL } = body;
    const made = await this.tokens.make({ label, uses, expiresIn }, await this.actors.of(caller));
    return { ...itemOf(made), initial_access_token: made.token };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiUuid('id', 'The id of the token.')
  @ApiOperation({
    summary: 'Takes an initial access token back',
    description: 'Nobody registers with it any more. Clients that did so stay.',
    tags: ['admin'],
  })
  @ApiAnswer(204, undefined, 'It is good for nothing now.')
  @ApiErrors('not_found')
  async revoke(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<void> {
    if (!(await this.tokens.revoke(id, await this.actors.of(caller)))) throw new WireError('not_found');
  }
}

function itemOf(one: InitialAccessToken): schemas.InitialTokenItem {
  return {
    id: one.id,
    label: one.label,
    uses_left: one.usesLeft,
    created_at: one.createdAt.toISOString(),
    expires_at: one.expiresAt.toISOString(),
  };
}
