import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { ClientsService, type ClientRecord } from '../clients/clients.service.js';
import { ClientDocuments } from '../registration/documents/client-documents.js';
import type { RequestOrigin } from '../request-origin.js';
import { OFFLINE_ACCESS, parseScope, subset } from '../scope.js';
import { isRegistered } from '../clients/redirect-uris.js';
import {
  only,
  parametersOf,
  readRequest,
  refused,
  returnAddress,
  type AuthorizationRequest,
  type Refused,
  type ReturnAddress,
} from './authorization-request.js';
import type { ClientAnswer, Outcome } from './outcome.js';

type Read = { readonly request: AuthorizationRequest } | { readonly outcome: Outcome };

/** Owns what a client asks for and how it is answered; never whether a person says yes. */
@Injectable()
export class AuthorizationRequests {
  constructor(
    private readonly clients: ClientsService,
    private readonly documents: ClientDocuments,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Until the client and its address are known, nobody is sent anywhere (RFC 6749 §4.1.2.1). */
  async read(query: string, origin: RequestOrigin): Promise<Read> {
    const parameters = parametersOf(query);
    if (!parameters) return { outcome: { trouble: 'too_many_parameters' } };
    const clientId = only(parameters, 'client_id');
    const client = await this.named(clientId, origin);
    if (client === 'unread') return { outcome: { trouble: 'unread_client' } };
    if (!client || client.disabled || client.redirectUris.length === 0)
      return { outcome: { trouble: 'unknown_client' } };
    const redirectUri = only(parameters, 'redirect_uri');
    if (redirectUri === undefined || !isRegistered(redirectUri, client.redirectUris))
      return { outcome: { trouble: 'unknown_address' } };
    const address = returnAddress(parameters, redirectUri);
    const request = readRequest(parameters, client, address);
    if ('error' in request) return { outcome: this.refuse(address, request) };
    const within = await this.within(request, parseScope(only(parameters, 'scope') ?? '') ?? []);
    if ('error' in within) return { outcome: this.refuse(address, within) };
    return { request: within };
  }

  /** @returns 'unread' if its metadata are elsewhere, and cannot be read @throws WireError too_many_requests */
  private async named(
    clientId: string | undefined,
    origin: RequestOrigin,
  ): Promise<ClientRecord | undefined | 'unread'> {
    if (clientId === undefined) return undefined;
    if (this.documents.isOne(clientId)) return (await this.documents.find(clientId, origin)) ?? 'unread';
    // what was read of it while they were switched on counts no more
    return clientId.startsWith('https:') ? undefined : this.clients.find(clientId);
  }

  /** What of it this client may ask for the API that it names: more is refused, and what was not named is left out. */
  private async within(
    request: AuthorizationRequest,
    asked: readonly string[],
  ): Promise<AuthorizationRequest | Refused> {
    const { resource: uri, client, scope } = request;
    if (uri === undefined || uri === this.config.AUDIENCE) return request;
    const resource = await this.clients.reach(client.clientId, uri);
    if (!resource) return refused('invalid_target', 'This client gets no tokens for that API.');
    const { scope: most } = resource;
    if (!most) return request;
    if (
      !subset(
        asked.filter((one) => one !== OFFLINE_ACCESS),
        most,
      )
    )
      return refused('invalid_scope', 'The scope is more than this client may have for that API.');
    return { ...request, scope: scope.filter((one) => most.includes(one)) };
  }

  audienceOf({ resource }: AuthorizationRequest): string {
    return resource ?? this.config.AUDIENCE;
  }

  refuse(address: ReturnAddress, { error, description }: Refused): Outcome {
    return {
      answer: this.answer(address, [
        ['error', error],
        ['error_description', description],
      ]),
    };
  }

  /** RFC 9207: it always says from whom it comes. */
  answer(address: ReturnAddress, parameters: [string, string][]): ClientAnswer {
    if (address.state !== undefined) parameters.push(['state', address.state]);
    return { address, parameters: [...parameters, ['iss', this.config.ISSUER]] };
  }
}
