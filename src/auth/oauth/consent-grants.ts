import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { CodeGrant } from './code-grant.js';
import { DEVICE_GRANT, DeviceGrant } from './device-grant.js';
import type { TokenRequest } from './oauth.schemas.js';

/** The grants that need a person's consent. Only the client that the person let in can redeem them. */
@Injectable()
export class ConsentGrants {
  constructor(
    private readonly code: CodeGrant,
    private readonly device: DeviceGrant,
  ) {}

  has(grantType: string): boolean {
    return grantType === 'authorization_code' || grantType === DEVICE_GRANT;
  }

  /** @throws WireError; Unavailable */
  exchange(
    client: AuthenticatedClient | undefined,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    if (!client) throw new WireError('invalid_client');
    const grant = request.grant_type === DEVICE_GRANT ? this.device : this.code;
    return grant.exchange(client, request, origin);
  }
}
