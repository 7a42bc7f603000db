import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  Post,
  Put,
  UseGuards,
} from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiParam, ApiSecurity } from '@nestjs/swagger';
import { BearerError, Public } from 'keks-guard';
import { CONFIG, type Config } from '../../config/config.js';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { CurrentOrigin } from '../current-caller.js';
import type { RequestOrigin } from '../request-origin.js';
import {
  CurrentInitialToken,
  CurrentRegistration,
  InitialTokenGuard,
  RegistrationTokenGuard,
} from './registration.guard.js';
import { readMetadata } from './registration-metadata.js';
import * as schemas from './registration.schemas.js';
import { Registrations, type Registration } from './registrations.js';

const ApiRegistrationId = (): MethodDecorator =>
  ApiParam({ name: 'client_id', description: 'Of the client.', schema: { type: 'string' } });

/** Clients register themselves (RFC 7591), and manage their registration (RFC 7592). Bodies are JSON here. */
@Public()
@Controller('oauth/register')
export class RegistrationController {
  constructor(
    private readonly registrations: Registrations,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @UseGuards(InitialTokenGuard)
  @Header('Pragma', 'no-cache')
  @ApiSecurity({})
  @ApiSecurity('initial')
  @ApiOperation({
    summary: 'A client registers itself',
    description:
      'It acts for people, who are asked and told that nobody has checked it. With `REGISTRATION=token` an initial access token of an administrator is wanted as the bearer token. Members that are unknown are ignored; the answer tells what is registered.',
    tags: ['oauth'],
  })
  @ApiAnswer(201, schemas.registrationAnswer, 'The client, with its secret if it has one (RFC 7591 §3.2.1).')
  @ApiErrors(
    'invalid_redirect_uri',
    'invalid_client_metadata',
    'too_many_requests',
    'unauthorized',
    'invalid_token',
  )
  async register(
    @Body({ schema: schemas.registrationRequest }) body: schemas.RegistrationRequest,
    @CurrentInitialToken() initialToken: string | undefined,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<schemas.RegistrationAnswer> {
    const added = await this.registrations.add(readMetadata(body, this.config), initialToken, origin);
    if (!added) throw new BearerError('invalid_token', { realm: this.config.REALM });
    return this.answer(added);
  }

  @Get(':client_id')
  @UseGuards(RegistrationTokenGuard)
  @Header('Pragma', 'no-cache')
  @ApiRegistrationId()
  @ApiBearerAuth('registration')
  @ApiOperation({
    summary: 'A client reads its registration',
    description: 'Without its secret, of which Keks keeps a digest only.',
    tags: ['oauth'],
  })
  @ApiAnswer(200, schemas.registrationAnswer, 'What is registered (RFC 7592 §3).')
  @ApiErrors('unauthorized', 'invalid_token')
  read(@CurrentRegistration() registration: Registration): schemas.RegistrationAnswer {
    return this.answer(registration);
  }

  @Put(':client_id')
  @UseGuards(RegistrationTokenGuard)
  @Header('Pragma', 'no-cache')
  @ApiRegistrationId()
  @ApiBearerAuth('registration')
  @ApiOperation({
    summary: 'A client changes its registration',
    description:
      'The whole of it anew: what is absent is as if it had never been sent. A new name, and an address or a scope that is taken away, end all that it has got.',
    tags: ['oauth'],
  })
  @ApiAnswer(200, schemas.registrationAnswer, 'What is registered now.')
  @ApiErrors('invalid_redirect_uri', 'invalid_client_metadata', 'unauthorized', 'invalid_token')
  async replace(
    @CurrentRegistration() registration: Registration,
    @Body({ schema: schemas.registrationChange }) body: schemas.RegistrationChange,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<schemas.RegistrationAnswer> {
    return this.answer(await this.registrations.replace(registration, body, origin));
  }

  @Delete(':client_id')
  @HttpCode(204)
  @UseGuards(RegistrationTokenGuard)
  @ApiRegistrationId()
  @ApiBearerAuth('registration')
  @ApiOperation({
    summary: 'A client takes itself away',
    description: 'All that it has got ends, and its tokens are dead when this is answered.',
    tags: ['oauth'],
  })
  @ApiAnswer(204, undefined, 'There is no such client any more (RFC 7592 §2.3).')
  @ApiErrors('unauthorized', 'invalid_token')
  async remove(
    @CurrentRegistration() registration: Registration,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<void> {
    await this.registrations.remove(registration, origin);
  }

  private answer({ client, authMethod, grantTypes, token }: Registration): schemas.RegistrationAnswer {
    const { clientId, clientSecret } = client;
    return {
      client_id: clientId,
      client_id_issued_at: Math.floor(client.createdAt.getTime() / 1_000),
      ...(clientSecret !== undefined && { client_secret: clientSecret }),
      ...(!client.isPublic && !client.jwks && { client_secret_expires_at: 0 }),
      registration_client_uri: `${this.config.ISSUER}/oauth/register/${encodeURIComponent(clientId)}`,
      registration_access_token: token,
      redirect_uris: [...client.redirectUris],
      token_endpoint_auth_method: authMethod as schemas.AuthMethod,
      ...(client.jwks && { jwks: { keys: client.jwks } }),
      grant_types: [...grantTypes],
      response_types: client.redirectUris.length > 0 ? ['code'] : [],
      require_pushed_authorization_requests: client.requirePushed,
      dpop_bound_access_tokens: client.dpopBound,
      client_name: client.name,
      scope: client.scope,
    };
  }
}
