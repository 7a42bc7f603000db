import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { ClientsService } from '../clients/clients.service.js';
import { parseScope } from '../scope.js';
import { isRegistered } from '../clients/redirect-uris.js';
import {
  only,
  parametersOf,
  readRequest,
  returnAddress,
  type AuthorizationRequest,
  type Refused,
  type ReturnAddress,
} from './authorization-request.js';
import type { ClientAnswer, Outcome } from './outcome.js';
import { RequestedAccess } from './requested-access.js';

type Read = { readonly request: AuthorizationRequest } | { readonly outcome: Outcome };

/** Owns what a client asks for and how it is answered; never whether a person says yes. */
@Injectable()
export class AuthorizationRequests {
  constructor(
    private readonly clients: ClientsService,
    private readonly access: RequestedAccess,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Until the client and its address are known, nobody is sent anywhere (RFC 6749 §4.1.2.1). */
  async read(query: string): Promise<Read> {
    const parameters = parametersOf(query);
    if (!parameters) return { outcome: { trouble: 'too_many_parameters' } };
    const clientId = only(parameters, 'client_id');
    const client = clientId === undefined ? undefined : await this.clients.find(clientId);
    if (!client || client.disabled || client.redirectUris.length === 0)
      return { outcome: { trouble: 'unknown_client' } };
    const redirectUri = only(parameters, 'redirect_uri');
    if (redirectUri === undefined || !isRegistered(redirectUri, client.redirectUris))
      return { outcome: { trouble: 'unknown_address' } };
    const address = returnAddress(parameters, redirectUri);
    const request = readRequest(parameters, client, address);
    if ('error' in request) return { outcome: this.refuse(address, request) };
    const scope = await this.access.within(request, parseScope(only(parameters, 'scope') ?? '') ?? []);
    if ('error' in scope) return { outcome: this.refuse(address, scope) };
    return { request: { ...request, scope } };
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
