import { Body, Controller, Header, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiBasicAuth, ApiConsumes, ApiOperation } from '@nestjs/swagger';
import { Public } from 'keks-guard';
import { WireError } from '../../http/errors/wire-error.js';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { ClientGuard, CurrentClient } from '../clients/client.guard.js';
import { CurrentOrigin } from '../current-caller.js';
import { ApiProof } from '../dpop/api-proof.js';
import { ProvenKey } from '../dpop/proven-key.pipe.js';
import type { RequestOrigin } from '../request-origin.js';
import { AuthorizationRequests } from './authorization-requests.js';
import { DocumentsFirstGuard } from './documents-first.guard.js';
import { pushedAnswer, pushedRequest, type PushedAnswerBody, type PushedRequestBody } from './par.schemas.js';
import { PUSHED_SECONDS, PushedRequests } from './pushed-requests.js';

/** Characters: more than any sensible request has. */
const LONGEST = 8_192;

/** RFC 9126: a client sends its authorization request directly, and the browser brings only the request's name. */
@Public()
@Controller('oauth')
@ApiBasicAuth('client')
export class ParController {
  constructor(
    private readonly requests: AuthorizationRequests,
    private readonly pushed: PushedRequests,
  ) {}

  @Post('par')
  @HttpCode(201)
  @UseGuards(DocumentsFirstGuard, ClientGuard)
  @Header('Cache-Control', 'no-store')
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiOperation({
    summary: 'An authorization request, before a person is sent (RFC 9126)',
    description:
      'All that `/oauth/authorize` would look at is looked at here. The `request_uri` is for this client only and is answered once; with it at `/oauth/authorize`, other parameters than `client_id` are ignored.',
    tags: ['oauth'],
  })
  @ApiAnswer(201, pushedAnswer, 'What to send the browser with (RFC 9126 §2.2).')
  @ApiErrors('invalid_request', 'invalid_scope', 'invalid_target', 'unsupported_response_type')
  @ApiErrors('unauthorized_client', 'invalid_client', 'payload_too_large', 'too_many_requests')
  @ApiProof()
  @ApiErrors('invalid_dpop_proof', 'use_dpop_nonce')
  async push(
    @Body({ schema: pushedRequest }) body: PushedRequestBody,
    @CurrentClient() client: AuthenticatedClient,
    @CurrentOrigin() origin: RequestOrigin,
    @ProvenKey() jkt: string | undefined,
  ): Promise<PushedAnswerBody> {
    // the client has authenticated; its credentials are not kept
    const { client_secret: _, client_assertion: __, client_assertion_type: ___, ...asked } = body;
    if (asked.request_uri !== undefined) throw WireError.because('unwanted', 'request_uri');
    // RFC 9449 §10.1
    if (jkt !== undefined && asked.dpop_jkt !== undefined && asked.dpop_jkt !== jkt)
      throw WireError.because('two_keys', 'dpop_jkt');
    const bound = asked.dpop_jkt ?? jkt;
    const pairs = Object.entries({ ...asked, dpop_jkt: bound, client_id: client.clientId }).filter(
      (pair): pair is [string, string] => pair[1] !== undefined,
    );
    const query = new URLSearchParams(pairs).toString();
    if (query.length > LONGEST) throw new WireError('payload_too_large');
    await this.requests.check(client.clientId, query, origin);
    return { request_uri: await this.pushed.push(client, query, origin.ip), expires_in: PUSHED_SECONDS };
  }
}
