import { Body, Controller, Header, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import { ApiBasicAuth, ApiConsumes, ApiOperation } from '@nestjs/swagger';
import type { ServerResponse } from 'node:http';
import { Public } from 'keks-guard';
import { WireError } from '../../http/errors/wire-error.js';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { CurrentClient } from '../clients/client.guard.js';
import { guardOf, RevocationFeedGuard } from './revocation-feed.guard.js';
import { RevocationFeed } from './revocation-feed.js';
import { feedAnswer, feedRequest, type FeedAnswer, type FeedRequest } from './revocation-feed.schemas.js';

/** Tells guards that check JWTs alone what was taken back. Only for clients that are APIs: clients with an audience. */
@Public()
@Controller('oauth')
@ApiBasicAuth('client')
export class RevocationFeedController {
  constructor(private readonly feed: RevocationFeed) {}

  @Post('revocations')
  @HttpCode(200)
  @UseGuards(RevocationFeedGuard)
  @Header('Cache-Control', 'no-store')
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiOperation({
    summary: 'What has been taken back, for guards that check JWTs alone',
    description:
      'A long poll: answered when there is something new, else after a third of `LEASE_TTL`. Each answer renews the lease of the guard, and each request says that the answer before has been applied. The rules that a guard keeps are in `docs/revocation-feed.md`.',
    tags: ['oauth'],
  })
  @ApiAnswer(200, feedAnswer, 'What is new to this guard, and until when it knows all.')
  @ApiErrors('invalid_request', 'unauthorized_client', 'invalid_client', 'too_many_requests')
  async revocations(
    @Body({ schema: feedRequest }) { guard, cursor, leave }: FeedRequest,
    @CurrentClient() client: AuthenticatedClient,
    @Res({ passthrough: true }) { raw }: { readonly raw: ServerResponse },
  ): Promise<FeedAnswer> {
    if (client.audience.length === 0) throw WireError.because('not_an_api');
    const name = guardOf(client.clientId, guard);
    if (leave !== undefined) return this.feed.leave(name);
    const gone = new AbortController();
    if (raw.closed) gone.abort();
    // a guard with a complete answer has not gone; an abort would only cost a stack trace each time
    raw.once('close', () => raw.writableFinished || gone.abort());
    return this.feed.answer({ guard: name, cursor, proof: client.digest, gone: gone.signal });
  }
}
