import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { WireError } from '../../http/errors/wire-error.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { ClientsService } from '../clients/clients.service.js';
import type { RequestOrigin } from '../request-origin.js';
import { parseScope, subset } from '../scope.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { TokenMint } from '../tokens/token-mint.js';
import { ClientTokens } from './client-tokens.js';
import type { TokenRequest } from './oauth.schemas.js';

/** RFC 6749 §4.4: a system gets a token for itself. There is never a refresh token: it can come again. */
@Injectable()
export class ClientCredentialsGrant {
  constructor(
    private readonly mint: TokenMint,
    private readonly tokens: ClientTokens,
    private readonly clients: ClientsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param actor who asks, if it is not the client itself
   * @throws WireError invalid_scope, invalid_target; Unavailable
   */
  async exchange(
    client: AuthenticatedClient,
    request: Pick<TokenRequest, 'scope' | 'resource'>,
    origin: RequestOrigin,
    actor: string | null = null,
  ): Promise<IssuedToken> {
    const scope = scopeOf(client, request.scope);
    const audience = await this.audienceOf(request.resource);
    const { clientId, tokenFormat: format } = client;
    const access = await this.mint.access({ subject: clientId, clientId, scope, audience, format });
    await this.tokens.record({ client, minted: access, scope, audience, origin, actor });
    return { token: access.token, expiresIn: access.expiresIn, scope };
  }

  private async audienceOf(resource: string | undefined): Promise<string> {
    if (resource === undefined || resource === this.config.AUDIENCE) return this.config.AUDIENCE;
    if (!(await this.clients.isAudience(resource))) throw new WireError('invalid_target');
    return resource;
  }
}

/** `offline_access` among them is one that no client has. */
function scopeOf(client: AuthenticatedClient, requested: string | undefined): string {
  if (requested === undefined) return client.scope;
  const wanted = parseScope(requested);
  if (!wanted || !subset(wanted, parseScope(client.scope) ?? [])) throw new WireError('invalid_scope');
  return wanted.join(' ');
}
