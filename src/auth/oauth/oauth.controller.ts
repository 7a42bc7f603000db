import { Body, Controller, Header, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiBasicAuth, ApiConsumes, ApiOperation } from '@nestjs/swagger';
import { Public } from 'keks-guard';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { CurrentOrigin } from '../current-caller.js';
import type { RequestOrigin } from '../request-origin.js';
import { revokeAnswer } from '../auth.schemas.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { ClientGuard, CurrentClient, OptionalClientGuard } from '../clients/client.guard.js';
import { ApiProof } from '../dpop/api-proof.js';
import { ProvenKey } from '../dpop/proven-key.pipe.js';
import { CurrentSighting, IntrospectionGuard } from './introspection.guard.js';
import { Introspection, type Sighting } from './introspection.js';
import * as schemas from './oauth.schemas.js';
import { OAuthRevocation } from './oauth-revocation.js';
import { TokenEndpoint } from './token-endpoint.js';

const FORM = 'application/x-www-form-urlencoded';

/** OAuth 2 over HTTP: forms in, JSON out. A client must authenticate before it is told anything about a token. */
@Public()
@Controller('oauth')
@ApiBasicAuth('client')
export class OAuthController {
  constructor(
    private readonly endpoint: TokenEndpoint,
    private readonly introspection: Introspection,
    private readonly revocation: OAuthRevocation,
  ) {}

  @Post('token')
  @HttpCode(200)
  @UseGuards(OptionalClientGuard)
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  @ApiConsumes(FORM)
  @ApiOperation({
    summary: 'A code, client credentials, a refresh token or another token in, a token out',
    description:
      'Clients say who they are by HTTP Basic or with `client_id` and `client_secret` in the form; those without a secret with `client_id` alone. A code works once and for a minute. With a device code one asks again until a person has decided: `authorization_pending`, `slow_down`. The refresh token of a login needs no client; it is used up, and the answer has its successor. An API that an administrator lets exchange tokens (RFC 8693) sends one that it was sent, as `subject_token`, and gets one for another API: it can do no more, says in `act` who acts, and dies with the first. With a proof in the header `DPoP` (RFC 9449) the tokens are bound to its key, and nobody else can use them.',
    tags: ['oauth'],
  })
  @ApiAnswer(200, schemas.tokenAnswer, 'The token (RFC 6749 §5.1).')
  @ApiErrors('invalid_request', 'invalid_scope', 'invalid_grant', 'invalid_target', 'unsupported_grant_type')
  @ApiErrors('unauthorized_client', 'authorization_pending', 'slow_down', 'access_denied', 'expired_token')
  @ApiProof()
  @ApiErrors('invalid_dpop_proof', 'use_dpop_nonce')
  @ApiErrors('invalid_client', 'too_many_requests')
  async token(
    @Body({ schema: schemas.tokenRequest }) body: schemas.TokenRequest,
    @CurrentClient() client: AuthenticatedClient | undefined,
    @CurrentOrigin() origin: RequestOrigin,
    @ProvenKey() jkt: string | undefined,
  ): Promise<schemas.TokenAnswer> {
    const issued = await this.endpoint.exchange(client, { ...body, jkt }, origin);
    return {
      access_token: issued.token,
      token_type: jkt === undefined ? 'Bearer' : 'DPoP',
      expires_in: issued.expiresIn,
      scope: issued.scope,
      ...(issued.type !== undefined && { issued_token_type: issued.type }),
      ...(issued.refresh
        ? { refresh_token: issued.refresh.token, refresh_expires_in: issued.refresh.expiresIn }
        : {}),
    };
  }

  @Post('introspect')
  @HttpCode(200)
  @UseGuards(IntrospectionGuard)
  @ApiConsumes(FORM)
  @ApiOperation({
    summary: 'What a token means, for those who may know',
    description:
      'A client learns of tokens for its own audience and of its own. Of any other, and of a dead one, it is told `{"active":false}`.',
    tags: ['oauth'],
  })
  @ApiAnswer(
    200,
    schemas.introspectionAnswer,
    'The token, or `{"active":false}` and nothing more (RFC 7662 §2.2).',
  )
  @ApiErrors('invalid_request', 'invalid_client', 'too_many_requests')
  async introspect(
    @Body({ schema: schemas.tokenQuestion }) { token }: schemas.TokenQuestion,
    @CurrentClient() client: AuthenticatedClient,
    @CurrentSighting() begun: Promise<Sighting> | undefined,
  ): Promise<schemas.IntrospectionAnswer> {
    return this.introspection.tell(await (begun ?? this.introspection.look(token)), client);
  }

  @Post('revoke')
  @HttpCode(200)
  @UseGuards(ClientGuard)
  @ApiConsumes(FORM)
  @ApiOperation({
    summary: "Takes one of the client's own tokens back",
    description:
      "Somebody else's token is left alone (400); one that is unknown or dead already answers 200.",
    tags: ['oauth'],
  })
  @ApiAnswer(200, revokeAnswer, 'The token is dead now, whatever it was before (RFC 7009 §2.2).')
  @ApiErrors(
    'invalid_request',
    'unauthorized_client',
    'unsupported_token_type',
    'invalid_client',
    'too_many_requests',
  )
  async revoke(
    @Body({ schema: schemas.tokenQuestion }) { token }: schemas.TokenQuestion,
    @CurrentClient() client: AuthenticatedClient,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<Record<string, never>> {
    await this.revocation.revoke(token, client, origin);
    return {};
  }
}
