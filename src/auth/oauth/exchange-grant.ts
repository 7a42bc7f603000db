import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { ClientsService, type ClientRecord } from '../clients/clients.service.js';
import type { RequestOrigin } from '../request-origin.js';
import { isAuthoritysOwn } from '../scope.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { ClientReach, scopeWithin } from './client-reach.js';
import { ACCESS_TOKEN, JWT, readExchange, type ExchangeRequest } from './exchange-request.js';
import { ExchangedTokens, type Exchange } from './exchanged-tokens.js';
import type { TokenRequest } from './oauth.schemas.js';
import { ShownTokens, type ShownToken } from './shown-tokens.js';

/** RFC 8693 §2.1 */
export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** The most clients in the chain of actors of one token (RFC 8693 §4.1). */
export const ACTORS_MOST = 4;
const ATTEMPTS = 3;

/**
 * RFC 8693: an API exchanges a token that it was sent for a token for another API, on behalf of the same subject. The
 * new token can do no more than the old token and the client can. It says who acts, and is dead once anything that it
 * was made from is dead.
 */
@Injectable()
export class ExchangeGrant {
  constructor(
    private readonly clients: ClientsService,
    private readonly reach: ClientReach,
    private readonly shown: ShownTokens,
    private readonly exchanged: ExchangedTokens,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws WireError unauthorized_client, invalid_request, invalid_target, invalid_scope; Unavailable */
  async exchange(
    client: AuthenticatedClient,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    // a statement that changed no row decides nothing: all is looked up again
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const exchange = await this.judge(await this.allowed(client), client, readExchange(request));
      const issued = await this.exchanged.issue(exchange, origin);
      const type = request.requested_token_type === JWT ? JWT : ACCESS_TOKEN;
      if (issued) return { ...issued, type };
    }
    throw new Unavailable('what a token was to be made from changed while it was looked at');
  }

  /** @throws WireError unauthorized_client, invalid_client */
  private async allowed({ clientId }: AuthenticatedClient): Promise<ClientRecord> {
    const record = await this.clients.find(clientId);
    if (!record || record.disabled) throw new WireError('invalid_client');
    if (!record.tokenExchange || !record.resources) throw WireError.because('no_token_exchange');
    return record;
  }

  /** @throws WireError */
  private async judge(
    record: ClientRecord,
    client: AuthenticatedClient,
    asked: ExchangeRequest,
  ): Promise<Exchange> {
    const { jkt } = asked;
    const subject = await this.shown.subject(asked.subject, client, jkt);
    const actor = asked.actor && (await this.shown.actor(asked.actor, client, jkt));
    const { principal } = subject.stored;
    const actors = [record.clientId, ...(principal.actors ?? [])];
    if (actors.length > ACTORS_MOST) throw WireError.because('too_many_actors', 'subject_token');
    const audience = asked.target ?? this.config.AUDIENCE;
    const may = await this.reach.most(record, audience);
    const most = may.filter((one) => principal.scope.includes(one) && !isAuthoritysOwn(one));
    return {
      ...{ client: record, subject, actors, audience, jkt },
      scope: scopeWithin(most, asked.scope),
      format: asked.requestedType === JWT ? 'jwt' : record.tokenFormat,
      notAfter: Math.min(...[subject, ...(actor ? [actor] : [])].map(endOf)),
    };
  }
}

/** Whole seconds since the epoch. */
function endOf({ read, stored }: ShownToken): number {
  return Math.min(read.expiresAt, Math.floor((stored.grantEnd ?? Infinity) / 1_000));
}
