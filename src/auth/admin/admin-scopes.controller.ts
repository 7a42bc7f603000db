import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiParam } from '@nestjs/swagger';
import { WireError } from '../../http/errors/wire-error.js';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { Actors } from '../audit/actor.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import { ServedScopes } from '../discovery/served-scopes.js';
import type { List } from '../lists/list.schemas.js';
import { isGrantable } from '../scope.js';
import { ScopeDescriptions } from '../scopes/scope-descriptions.js';
import * as schemas from './admin-scopes.schemas.js';
import { ForAdmins } from './for-admins.js';

const ApiScope = (): MethodDecorator =>
  ApiParam({ name: 'scope', description: 'The scope itself.', schema: { type: 'string' } });

/** What scopes mean in words, for the page on which people are asked. */
@Controller('admin/scopes')
@ForAdmins()
export class AdminScopesController {
  constructor(
    private readonly descriptions: ScopeDescriptions,
    private readonly served: ServedScopes,
    private readonly actors: Actors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'What scopes mean in words',
    description:
      'Those that have been described, by name; with `all`, those that exist and can be given, 500 at most. There is one page.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.scopeList, 'All of them.')
  @ApiErrors('invalid_request')
  async list(
    @Query({ schema: schemas.scopeQuery }) { all }: schemas.ScopeQuery,
  ): Promise<List<schemas.KnownScope>> {
    const known =
      all === 'true' ? await this.descriptions.known(this.served.list()) : await this.descriptions.list();
    const items = known
      .filter(({ scope }) => isGrantable(scope))
      .map(({ scope, description }) => ({ scope, description }));
    return { items, next: null };
  }

  @Put(':scope')
  @ApiScope()
  @ApiOperation({
    summary: 'Says what a scope means',
    description:
      'People read it when a client asks them for this scope. Without it they read the scope itself.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.scopeItem, 'The scope, as it is described now.')
  @ApiErrors('invalid_request', 'not_found')
  async describe(
    @Param('scope') scope: string,
    @Body({ schema: schemas.scopeWords }) { description }: schemas.ScopeWords,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.ScopeItem> {
    if (!isGrantable(scope)) throw new WireError('not_found');
    await this.descriptions.describe(scope, description, await this.actors.of(caller));
    return { scope, description };
  }

  @Delete(':scope')
  @HttpCode(204)
  @ApiScope()
  @ApiOperation({
    summary: 'Takes the words of a scope back',
    description: 'The scope stays what it is.',
    tags: ['admin'],
  })
  @ApiAnswer(204, undefined, 'It has no words any more.')
  @ApiErrors('not_found')
  async forget(@Param('scope') scope: string, @CurrentCaller() caller: Caller): Promise<void> {
    if (!isGrantable(scope)) throw new WireError('not_found');
    const by = await this.actors.of(caller);
    if (!(await this.descriptions.forget(scope, by))) throw new WireError('not_found');
  }
}
