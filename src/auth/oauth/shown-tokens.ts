import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { LastUse } from '../grants/last-use.js';
import type { ReadToken } from '../tokens/read-token.js';
import type { DescribedToken } from '../tokens/token-lookup.js';
import { isOfType, type TypedToken } from './exchange-request.js';
import { Introspection } from './introspection.js';

/** An access token that is alive, and that its sender may show. */
export interface ShownToken {
  readonly read: ReadToken;
  readonly stored: DescribedToken;
}

type Name = 'subject_token' | 'actor_token';

/**
 * Owns which tokens a client may exchange: living access tokens that it got itself, or that it was sent as the API that
 * they are for. The error is the same for all other tokens (RFC 8693 §2.2.2). An API key cannot be exchanged.
 */
@Injectable()
export class ShownTokens {
  constructor(
    private readonly introspection: Introspection,
    private readonly lastUse: LastUse,
  ) {}

  /**
   * @param jkt thumbprint of the key of the request's proof: without it, a bound token could become an unbound one
   * @throws WireError invalid_request; Unavailable
   */
  async subject(
    shown: TypedToken,
    client: AuthenticatedClient,
    jkt: string | undefined,
  ): Promise<ShownToken> {
    return this.judge('subject_token', shown, client, jkt);
  }

  /**
   * The actor token must be the authenticated client's own: nobody else acts by it.
   * @throws WireError invalid_request; Unavailable
   */
  async actor(shown: TypedToken, client: AuthenticatedClient, jkt: string | undefined): Promise<ShownToken> {
    const token = await this.judge('actor_token', shown, client, jkt);
    const { subject, actors } = token.stored.principal;
    if (subject !== client.clientId || actors) throw WireError.because('bad_actor_token', 'actor_token');
    return token;
  }

  private async judge(
    name: Name,
    { token, type }: TypedToken,
    client: AuthenticatedClient,
    jkt: string | undefined,
  ): Promise<ShownToken> {
    const seen = await this.introspection.look(token);
    const isGood =
      !('refused' in seen) &&
      seen.read.kind === 'access' &&
      isOfType(seen.read.format, type) &&
      this.introspection.sees(seen, client);
    if (!isGood)
      throw WireError.because(name === 'actor_token' ? 'bad_actor_token' : 'bad_subject_token', name);
    const { principal } = seen.stored;
    if (principal.jkt !== undefined && principal.jkt !== jkt) throw WireError.because('bound_token', name);
    this.lastUse.note(principal.grantId);
    return seen;
  }
}
