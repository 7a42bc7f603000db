import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { ClientGrants } from './client-grants.js';
import { ConsentGrants } from './consent-grants.js';
import type { TokenRequest } from './oauth.schemas.js';
import { RefreshRequests } from './refresh-requests.js';

/** RFC 6749 §3.2: finds the grant that a request is about, and asks a bound client for a proof. */
@Injectable()
export class TokenEndpoint {
  constructor(
    private readonly consented: ConsentGrants,
    private readonly clients: ClientGrants,
    private readonly refresh: RefreshRequests,
  ) {}

  /** @throws WireError; Unavailable */
  async exchange(
    client: AuthenticatedClient | undefined,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    // RFC 9449 §5.2
    if (client?.isBound && request.jkt === undefined) throw WireError.because('always_bound');
    const { grant_type: type } = request;
    if (this.clients.has(type)) return this.clients.exchange(client, request, origin);
    if (this.consented.has(type)) return this.consented.exchange(client, request, origin);
    if (type !== 'refresh_token') throw new WireError('unsupported_grant_type');
    return this.refresh.exchange(client, request, origin);
  }
}
