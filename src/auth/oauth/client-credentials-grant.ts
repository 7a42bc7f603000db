import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { WireError } from '../../http/errors/wire-error.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { parseScope, subset } from '../scope.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { TokenMint } from '../tokens/token-mint.js';
import { ClientReach, scopeWithin } from './client-reach.js';
import { ClientTokens } from './client-tokens.js';
import type { TokenRequest } from './oauth.schemas.js';

/** RFC 6749 §4.4: a client gets a token for itself. It never gets a refresh token, because it can ask again. */
@Injectable()
export class ClientCredentialsGrant {
  constructor(
    private readonly mint: TokenMint,
    private readonly tokens: ClientTokens,
    private readonly reach: ClientReach,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param actor who asks; null if the client itself asks
   * @throws WireError unauthorized_client, invalid_scope, invalid_target; Unavailable
   */
  async exchange(
    client: AuthenticatedClient,
    request: Pick<TokenRequest, 'scope' | 'resource' | 'jkt'>,
    origin: RequestOrigin,
    actor: string | null = null,
  ): Promise<IssuedToken> {
    if (client.isApp) throw WireError.because('acts_for_people');
    const { clientId, tokenFormat: format } = client;
    const { jkt } = request;
    const audience = request.resource ?? this.config.AUDIENCE;
    const scope = scopeWithin(await this.reach.most(client, audience), request.scope);
    const access = await this.mint.access({ subject: clientId, clientId, scope, audience, format, jkt });
    await this.tokens.record({ client, minted: access, scope, audience, origin, actor, jkt });
    // the client may have lost the API meanwhile: then nobody gets this token
    if (
      audience !== this.config.AUDIENCE &&
      !subset(parseScope(scope) ?? [], await this.reach.most(client, audience))
    )
      throw new WireError('invalid_target');
    return { token: access.token, expiresIn: access.expiresIn, scope };
  }
}
