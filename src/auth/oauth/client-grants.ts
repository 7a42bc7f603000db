import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import { Refusals } from '../audit/refusals.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { ClientCredentialsGrant } from './client-credentials-grant.js';
import { EXCHANGE_GRANT, ExchangeGrant } from './exchange-grant.js';
import type { TokenRequest } from './oauth.schemas.js';

/**
 * The grants that need no person's consent: client credentials and token exchange. The client's scope or a switch
 * allows them.
 */
@Injectable()
export class ClientGrants {
  constructor(
    private readonly credentials: ClientCredentialsGrant,
    private readonly exchanges: ExchangeGrant,
    private readonly telemetry: Telemetry,
    private readonly refusals: Refusals,
  ) {}

  has(grantType: string): boolean {
    return grantType === 'client_credentials' || grantType === EXCHANGE_GRANT;
  }

  /** @throws WireError; Unavailable */
  async exchange(
    client: AuthenticatedClient | undefined,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    if (!client) throw new WireError('invalid_client');
    const refused = { type: 'token.refused', actor: `client:${client.clientId}`, origin } as const;
    return this.refusals.noting(refused, async () => {
      if (request.grant_type === EXCHANGE_GRANT) return this.exchanges.exchange(client, request, origin);
      const issued = await this.credentials.exchange(client, request, origin);
      this.telemetry.issued('client', client.tokenFormat);
      return issued;
    });
  }
}
