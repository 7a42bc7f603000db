import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { WireError } from '../../http/errors/wire-error.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import { Actors } from '../audit/actor.js';
import { appFlaw, clientFlaw, type ClientFlaw } from '../clients/client-flaw.js';
import { readJwks, type PublicJwk } from '../clients/client-keys.js';
import { authMethodOf } from '../clients/client-record.js';
import { ClientsService, type ClientRecord } from '../clients/clients.service.js';
import { Cursors } from '../lists/cursors.js';
import { pageQuery, type List, type PageQuery } from '../lists/list.schemas.js';
import * as schemas from './admin-clients.schemas.js';
import { ApiClientId, ClientIdPipe, ForAdmins, found, requestedScope } from './for-admins.js';

const REFUSALS: Readonly<Record<ClientFlaw, () => WireError>> = {
  name_invalid: () => WireError.because('bad_client_name', 'name'),
  name_reserved: () => WireError.because('reserved_name'),
  scope_invalid: () => new WireError('invalid_scope'),
  audience_invalid: () => WireError.because('bad_audience', 'audience'),
  resources_invalid: () => WireError.because('bad_resources', 'resources'),
  redirect_uris_invalid: () => WireError.because('bad_redirect_uris', 'redirect_uris'),
  jwks_invalid: () => WireError.because('bad_jwks', 'jwks'),
  redirect_uris_missing: () => WireError.because('no_redirect_uris', 'redirect_uris'),
  scope_not_for_apps: () => WireError.because('not_for_apps', 'scope'),
  exchange_not_for_apps: () => WireError.because('exchange_not_for_apps', 'token_exchange'),
  exchange_without_resources: () => WireError.because('exchange_without_resources', 'token_exchange'),
};

/** The systems that get tokens, and the APIs that ask about them, for operators. */
@Controller('admin/clients')
@ForAdmins()
export class AdminClientsController {
  constructor(
    private readonly clients: ClientsService,
    private readonly actors: Actors,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'All clients, newest first',
    description: 'Who may use `/oauth/*`: their ids, names, scopes and audiences. Never a secret.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.clientList, 'One page of them.')
  @ApiErrors('invalid_request')
  list(@Query({ schema: pageQuery }) query: PageQuery): Promise<List<schemas.ClientItem>> {
    const read = this.clients.page.bind(this.clients);
    return this.cursors.page(['admin/clients'], query, read, itemOf);
  }

  @Post()
  @ApiOperation({
    summary: 'Adds a client',
    description:
      'Its id and its secret are made here. `scope` is the most that its tokens can carry; `audience` is the API that they are for, and whose tokens the client may introspect; `resources` are the other APIs that it may ask tokens for, each with the scopes that such tokens may carry. With `redirect_uris` or `device_grant` it acts for people, who are asked for it, and gets nothing for itself; one with `token_endpoint_auth_method` `none` has no secret.',
    tags: ['admin'],
  })
  @ApiAnswer(201, schemas.addedClient, 'The client, with its secret. Nobody can show it to you again.')
  @ApiErrors('invalid_request', 'invalid_scope', 'name_taken')
  async add(
    @Body({ schema: schemas.newClient }) body: schemas.NewClientRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.AddedClient> {
    const { name, audience = [], resources = [], token_format: tokenFormat = 'opaque' } = body;
    const { redirect_uris: redirectUris = [], device_grant: deviceGrant = false } = body;
    const { require_pushed_authorization_requests: requirePushed = false } = body;
    const { dpop_bound_access_tokens: dpopBound = false, token_endpoint_auth_method: method } = body;
    const { token_exchange: tokenExchange = false } = body;
    const scope = requestedScope(body.scope ?? '');
    const keys = keysOf(body.jwks, method);
    const client = {
      name,
      audience,
      resources,
      tokenFormat,
      scope,
      redirectUris,
      deviceGrant,
      requirePushed,
      dpopBound,
      tokenExchange,
      ...(keys && { jwks: keys }),
    };
    const isPublic = method === 'none';
    const flaw = clientFlaw(client) ?? appFlaw({ ...client, isPublic });
    if (flaw) throw REFUSALS[flaw]();
    const by = await this.actors.of(caller);
    if (isPublic) return itemOf(await this.clients.addPublic(client, by));
    if (keys) return itemOf(await this.clients.addWithKeys(client, by));
    const added = await this.clients.add(client, by);
    return { ...itemOf(added), secret_id: added.id, client_secret: added.clientSecret };
  }

  @Get(':id')
  @ApiClientId()
  @ApiOperation({
    summary: 'One client, and which secrets it has',
    description: 'Secrets are shown by their ids, and when they were made.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.clientDetails, 'The client; never a secret.')
  @ApiErrors('not_found')
  async show(@Param('id', ClientIdPipe) id: string): Promise<schemas.ClientDetails> {
    const client = found(await this.clients.find(id));
    const secrets = (await this.clients.secrets(id)).map((secret) => {
      return { id: secret.id, created_at: secret.createdAt.toISOString() };
    });
    return { ...itemOf(client), secrets };
  }

  @Patch(':id')
  @ApiClientId()
  @ApiOperation({
    summary: 'Disables or enables a client, or changes what it may do',
    description:
      'Disabling kills all of its tokens in the same transaction, and enabling gives none back. What is not named stays as it is.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.clientItem, 'The client as it is now. What had to die is dead.')
  @ApiErrors('invalid_request', 'invalid_scope', 'not_found')
  async change(
    @Param('id', ClientIdPipe) id: string,
    @Body({ schema: schemas.clientChange }) body: schemas.ClientChangeRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.ClientItem> {
    const { scope, resources, redirect_uris: redirectUris, device_grant: deviceGrant, disabled } = body;
    const { require_pushed_authorization_requests: requirePushed } = body;
    const { dpop_bound_access_tokens: dpopBound, token_exchange: tokenExchange } = body;
    const flaw = clientFlaw({ ...(resources && { resources }), ...(redirectUris && { redirectUris }) });
    if (flaw) throw REFUSALS[flaw]();
    const wanted = scope === undefined ? undefined : requestedScope(scope);
    const by = await this.actors.of(caller);
    const jwks = body.jwks === undefined ? undefined : keysOf(body.jwks, 'private_key_jwt');
    const change = {
      scope: wanted,
      resources,
      redirectUris,
      deviceGrant,
      requirePushed,
      dpopBound,
      tokenExchange,
      disabled,
      jwks,
    };
    const changed = found(await this.clients.change(id, change, by));
    if ('flaw' in changed) throw REFUSALS[changed.flaw]();
    return itemOf(changed);
  }

  @Post(':id/revoke')
  @HttpCode(204)
  @ApiClientId()
  @ApiOperation({
    summary: "Ends all of a client's tokens",
    description:
      'Those are dead when this is answered. To keep the client from getting new ones, disable it.',
    tags: ['admin'],
  })
  @ApiAnswer(204, undefined, 'Every token of the client is dead; it may get new ones.')
  @ApiErrors('not_found')
  async revoke(@Param('id', ClientIdPipe) id: string, @CurrentCaller() caller: Caller): Promise<void> {
    const by = await this.actors.of(caller);
    found(await this.clients.revokeAll(id, by));
  }
}

/** @throws WireError invalid_request for keys without the method, the method without keys, and keys that are none */
function keysOf(jwks: unknown, method: string | undefined): readonly PublicJwk[] | undefined {
  if (jwks === undefined && method !== 'private_key_jwt') return undefined;
  const keys = method === 'private_key_jwt' ? readJwks(jwks) : undefined;
  if (!keys) throw REFUSALS.jwks_invalid();
  return keys;
}

function itemOf(one: ClientRecord): schemas.ClientItem {
  return {
    client_id: one.clientId,
    name: one.name,
    scope: one.scope,
    audience: [...one.audience],
    resources: one.resources ? [...one.resources] : null,
    redirect_uris: [...one.redirectUris],
    device_grant: one.deviceGrant,
    require_pushed_authorization_requests: one.requirePushed,
    token_endpoint_auth_method: authMethodOf(one),
    ...(one.jwks && { jwks: { keys: one.jwks.map((key) => ({ ...key })) } }),
    self_registered: one.selfRegistered,
    token_format: one.tokenFormat,
    dpop_bound_access_tokens: one.dpopBound,
    token_exchange: one.tokenExchange,
    disabled: one.disabled,
    created_at: one.createdAt.toISOString(),
  };
}
