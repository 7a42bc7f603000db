import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import { Refusals } from '../audit/refusals.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { TokenReader } from '../tokens/token-reader.js';
import { ClientCredentialsGrant } from './client-credentials-grant.js';
import { CodeGrant } from './code-grant.js';
import type { TokenRequest } from './oauth.schemas.js';
import { RefreshGrant } from './refresh-grant.js';

/** RFC 6749 §3.2: which grant a request is about, and whether this caller may ask for it. */
@Injectable()
export class TokenEndpoint {
  constructor(
    private readonly code: CodeGrant,
    private readonly clientCredentials: ClientCredentialsGrant,
    private readonly refresh: RefreshGrant,
    private readonly reader: TokenReader,
    private readonly telemetry: Telemetry,
    private readonly refusals: Refusals,
  ) {}

  /** @throws WireError; Unavailable */
  async exchange(
    client: AuthenticatedClient | undefined,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    if (request.grant_type === 'client_credentials') {
      if (!client) throw new WireError('invalid_client');
      const refused = { type: 'token.refused', actor: `client:${client.clientId}`, origin } as const;
      const issued = await this.refusals.noting(refused, () =>
        this.clientCredentials.exchange(client, request, origin),
      );
      this.telemetry.issued('client', client.tokenFormat);
      return issued;
    }
    if (request.grant_type === 'authorization_code') {
      if (!client) throw new WireError('invalid_client');
      return this.code.exchange(client, request, origin);
    }
    if (request.grant_type !== 'refresh_token') throw new WireError('unsupported_grant_type');
    return this.refreshed(client, request, origin);
  }

  /** Those of logins belong to the first-party client, as whom no other client can speak; the others to who got them. */
  private async refreshed(
    client: AuthenticatedClient | undefined,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    const { refresh_token: token } = request;
    if (token === undefined) throw WireError.because('missing', 'refresh_token');
    const read = await this.reader.read(token);
    // not one of ours, or dead by its own expiry: anybody can send that, and the audit log would fill with it
    if ('refused' in read || read.kind !== 'refresh') throw new WireError('invalid_grant');
    const actor = client ? `client:${client.clientId}` : null;
    const refused = { type: 'token.refused', actor, origin, presented: read } as const;
    const presented = { ...read, token, clientId: client?.clientId ?? null };
    const refreshed = await this.refusals.noting(refused, () =>
      this.refresh.exchange(presented, request, origin),
    );
    this.telemetry.refreshed(refreshed.outcome);
    if (refreshed.outcome === 'theft') {
      this.telemetry.revoked('grant', refreshed.killedGrants);
      throw new WireError('invalid_grant');
    }
    this.telemetry.issued('refresh', refreshed.format);
    return refreshed.issued;
  }
}
