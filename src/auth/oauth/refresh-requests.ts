import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import { Refusals } from '../audit/refusals.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { TokenReader } from '../tokens/token-reader.js';
import type { TokenRequest } from './oauth.schemas.js';
import { RefreshGrant } from './refresh-grant.js';

/** Tells who presents a refresh token; counts and notes the outcome. */
@Injectable()
export class RefreshRequests {
  constructor(
    private readonly refresh: RefreshGrant,
    private readonly reader: TokenReader,
    private readonly telemetry: Telemetry,
    private readonly refusals: Refusals,
  ) {}

  /**
   * A login's refresh token belongs to the first-party client, as which no other client can authenticate. Any other
   * refresh token belongs to the client that got it.
   */
  async exchange(
    client: AuthenticatedClient | undefined,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    const { refresh_token: token } = request;
    if (token === undefined) throw WireError.because('missing', 'refresh_token');
    const read = await this.reader.read(token);
    // a token that Keks did not make, or that has expired, is not noted: anybody could fill the audit log with it
    if ('refused' in read || read.kind !== 'refresh') throw new WireError('invalid_grant');
    const actor = client ? `client:${client.clientId}` : null;
    const refused = { type: 'token.refused', actor, origin, presented: read } as const;
    const presented = {
      ...read,
      token,
      clientId: client?.clientId ?? null,
      jkt: request.jkt,
      isPublic: client?.isPublic ?? true,
      origin,
    };
    const refreshed = await this.refusals.noting(refused, () => this.refresh.exchange(presented, request));
    this.telemetry.refreshed(refreshed.outcome);
    if (refreshed.outcome === 'theft') {
      this.telemetry.revoked('grant', refreshed.killedGrants);
      throw new WireError('invalid_grant');
    }
    this.telemetry.issued('refresh', refreshed.format);
    return refreshed.issued;
  }
}
