import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal } from 'keks-guard';
import { bearerToken, type RawRequest, type GrantedPrincipal } from 'keks-guard/internals';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { WireError } from '../../http/errors/wire-error.js';
import { CurrentCaller, CurrentOrigin, type Caller } from '../current-caller.js';
import type { RequestOrigin } from '../request-origin.js';
import { Actors } from '../audit/actor.js';
import { Cursors } from '../lists/cursors.js';
import { GrantsService } from '../grants/grants.service.js';
import type { OwnGrantRows } from '../grants/grants.sql.js';
import { pageQuery, type List, type PageQuery } from '../lists/list.schemas.js';
import { OwnAccount } from '../account/own-account.js';
import { ApiUuid, UuidPipe } from '../path-id.js';
import { scopeOfApiKey } from '../scope.js';
import { ApiKeyIssuer } from './api-key-issuer.js';
import * as schemas from './api-keys.schemas.js';

/** A person's own API keys. A key cannot make keys: it never has the scope of the account. */
@Controller('keys')
@OwnAccount()
export class ApiKeysController {
  constructor(
    private readonly issuer: ApiKeyIssuer,
    private readonly grants: GrantsService,
    private readonly actors: Actors,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @Header('Pragma', 'no-cache')
  @ApiOperation({
    summary: 'A long-lived key for a script or a service',
    description:
      'It is a bearer token like any other, for 90 days unless `expires_in` says otherwise. It can do no more than the token that asks, and never look after your account or administer anything. Your password is asked for again, and counted as at `POST /issue`.',
    tags: ['keys'],
  })
  @ApiAnswer(201, schemas.keyAnswer, 'The key. Nobody can show it to you again.')
  @ApiErrors('invalid_request', 'invalid_scope', 'invalid_credentials', 'too_many_keys', 'too_many_requests')
  async issue(
    @Body({ schema: schemas.keyRequest }) body: schemas.KeyRequest,
    @CurrentPrincipal() principal: GrantedPrincipal,
    @Req() { raw }: { readonly raw: RawRequest },
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<schemas.KeyAnswer> {
    const { label, password, scope, expires_in: expiresIn } = body;
    const presented = bearerToken(raw);
    const token = 'token' in presented ? presented.token : '';
    const order = { token, password, wanted: { label, scope, expiresIn } };
    const issued = await this.issuer.issue(principal, order, origin);
    const { id, key, scope: granted, expiresAt } = issued;
    return { id, key, label, scope: granted, expires_at: expiresAt.toISOString() };
  }

  @Get()
  @ApiOperation({
    summary: 'Your living keys, newest first',
    description: 'What each is called, may do, and when it was used last. Never the key itself.',
    tags: ['keys'],
  })
  @ApiAnswer(200, schemas.keyList, 'One page of them. `last_used_at` may be a minute behind.')
  @ApiErrors('invalid_request')
  list(
    @Query({ schema: pageQuery }) query: PageQuery,
    @CurrentPrincipal() { subject }: Principal,
  ): Promise<List<schemas.KeyItem>> {
    return this.cursors.part(
      ['keys', subject],
      query,
      (after, limit) => this.grants.listOwn('api_key', subject, limit, after),
      keyItem,
    );
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiUuid('id', 'The id of the key.')
  @ApiOperation({
    summary: 'Takes a key back, at once and everywhere',
    description: 'It is dead when this is answered. The id is in `GET /keys`.',
    tags: ['keys'],
  })
  @ApiAnswer(204, undefined, 'The key is dead.')
  @ApiErrors('not_found')
  async revoke(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<void> {
    const by = await this.actors.of(caller);
    const grant = { id, userId: caller.principal.subject, kind: 'api_key' } as const;
    if (!(await this.grants.revokeOwn(grant, 'api_key_revoked', by))) throw new WireError('not_found');
  }
}

function keyItem(row: OwnGrantRows['api_key']): schemas.KeyItem {
  return {
    id: row.id,
    label: row.label,
    scope: scopeOfApiKey(row.scope.split(' ')).join(' '),
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
    expires_at: row.expires_at.toISOString(),
  };
}
