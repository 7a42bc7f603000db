import { Controller, Delete, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { WireError } from '../../http/errors/wire-error.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import { Actors } from '../audit/actor.js';
import { ClientsService } from '../clients/clients.service.js';
import { ApiUuid, UuidPipe } from '../path-id.js';
import { addedSecret, type AddedSecret } from './admin-clients.schemas.js';
import { ApiClientId, ClientIdPipe, ForAdmins } from './for-admins.js';

const REFUSALS = {
  unknown: () => new WireError('not_found'),
  // two live already: which of them is in use, only the operator knows
  too_many: () => WireError.because('two_secrets'),
  public: () => WireError.because('no_secret_wanted'),
} as const;

/** How a client's secret is rotated: a second one is made, rolled out, and the first one retired. */
@Controller('admin/clients/:id/secrets')
@ForAdmins()
export class AdminClientSecretsController {
  constructor(
    private readonly clients: ClientsService,
    private readonly actors: Actors,
  ) {}

  @Post()
  @Header('Pragma', 'no-cache')
  @ApiClientId()
  @ApiOperation({
    summary: 'A second secret for a client, while the first one lives on',
    description:
      'Two may live at once, so that a secret can be rotated without a gap: add one, bring it to the client, delete the old one.',
    tags: ['admin'],
  })
  @ApiAnswer(201, addedSecret, 'The secret. Nobody can show it to you again.')
  @ApiErrors('invalid_request', 'not_found')
  async add(@Param('id', ClientIdPipe) id: string, @CurrentCaller() caller: Caller): Promise<AddedSecret> {
    const by = await this.actors.of(caller);
    const added = await this.clients.addSecret(id, by);
    if ('flaw' in added) throw REFUSALS[added.flaw]();
    return { client_id: id, secret_id: added.id, client_secret: added.clientSecret };
  }

  @Delete(':secret_id')
  @HttpCode(204)
  @ApiClientId()
  @ApiUuid('secret_id', 'The id of the secret.')
  @ApiOperation({
    summary: 'Takes a secret back',
    description:
      'The client can no longer authenticate with it. Tokens that it has got stay good: end those with `POST /admin/clients/{id}/revoke`.',
    tags: ['admin'],
  })
  @ApiAnswer(
    204,
    undefined,
    'Nobody can authenticate with it any more; tokens that were got with it live on.',
  )
  @ApiErrors('not_found')
  async retire(
    @Param('id', ClientIdPipe) id: string,
    @Param('secret_id', UuidPipe) secretId: string,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    const by = await this.actors.of(caller);
    if ((await this.clients.retireSecrets(id, { id: secretId }, by)) === 0) throw new WireError('not_found');
  }
}
