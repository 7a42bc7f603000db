import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import { Refusals } from '../audit/refusals.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { ClientCredentialsGrant } from './client-credentials-grant.js';
import { ConsentGrants } from './consent-grants.js';
import type { TokenRequest } from './oauth.schemas.js';
import { RefreshRequests } from './refresh-requests.js';

/** RFC 6749 §3.2: which grant a request is about, and whether this caller may ask for it. */
@Injectable()
export class TokenEndpoint {
  constructor(
    private readonly consented: ConsentGrants,
    private readonly clientCredentials: ClientCredentialsGrant,
    private readonly refresh: RefreshRequests,
    private readonly telemetry: Telemetry,
    private readonly refusals: Refusals,
  ) {}

  /** @throws WireError; Unavailable */
  async exchange(
    client: AuthenticatedClient | undefined,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    // RFC 9449 §5.2
    if (client?.isBound && request.jkt === undefined) throw WireError.because('always_bound');
    if (request.grant_type === 'client_credentials') {
      if (!client) throw new WireError('invalid_client');
      const refused = { type: 'token.refused', actor: `client:${client.clientId}`, origin } as const;
      const issued = await this.refusals.noting(refused, () =>
        this.clientCredentials.exchange(client, request, origin),
      );
      this.telemetry.issued('client', client.tokenFormat);
      return issued;
    }
    if (this.consented.has(request.grant_type)) return this.consented.exchange(client, request, origin);
    if (request.grant_type !== 'refresh_token') throw new WireError('unsupported_grant_type');
    return this.refresh.exchange(client, request, origin);
  }
}
