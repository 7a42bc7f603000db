import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { WireError } from '../../http/errors/wire-error.js';
import { ClientsService, type ClientRecord } from '../clients/clients.service.js';
import { ClientDocuments } from '../registration/documents/client-documents.js';
import type { RequestOrigin } from '../request-origin.js';
import { parseScope } from '../scope.js';
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
import { isPushed, PushedRequests } from './pushed-requests.js';
import { RequestedAccess } from './requested-access.js';

type Read = { readonly request: AuthorizationRequest } | { readonly outcome: Outcome };

const NOT_PUSHED = refused('invalid_request', 'This client has to push its requests first (RFC 9126).');

const PUSH_ERRORS = ['invalid_scope', 'invalid_target', 'unsupported_response_type'] as const;

/** Owns how a client's authorization request is read and answered; never whether the person consents. */
@Injectable()
export class AuthorizationRequests {
  constructor(
    private readonly clients: ClientsService,
    private readonly documents: ClientDocuments,
    private readonly access: RequestedAccess,
    private readonly pushed: PushedRequests,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Sends nobody anywhere until the client and its redirect address are known (RFC 6749 §4.1.2.1). */
  async read(query: string, origin: RequestOrigin): Promise<Read> {
    const sent = parametersOf(query);
    if (!sent) return { outcome: { trouble: 'too_many_parameters' } };
    const client = await this.named(only(sent, 'client_id'), origin);
    if (client === 'unread') return { outcome: { trouble: 'unread_client' } };
    if (!client || client.disabled || client.redirectUris.length === 0)
      return { outcome: { trouble: 'unknown_client' } };
    const requestUri = only(sent, 'request_uri');
    const pushed = isPushed(requestUri) ? await this.pushed.open(client.clientId, requestUri) : undefined;
    if (isPushed(requestUri) && !pushed) return { outcome: { trouble: 'pushed_over' } };
    const parameters = (pushed && parametersOf(pushed.query)) ?? sent;
    const redirectUri = only(parameters, 'redirect_uri');
    if (redirectUri === undefined || !isRegistered(redirectUri, client.redirectUris))
      return { outcome: { trouble: 'unknown_address' } };
    const address = returnAddress(parameters, redirectUri);
    if (client.requirePushed && !pushed) return { outcome: this.refuse(client, address, NOT_PUSHED) };
    const request = await this.judge(parameters, client, address);
    if ('error' in request) return { outcome: this.refuse(client, address, request) };
    return { request: { ...request, pushed: pushed?.digest } };
  }

  /** Checks a pushed request like a request that a browser brings (RFC 9126 §2.1). @throws WireError */
  async check(clientId: string, query: string, origin: RequestOrigin): Promise<void> {
    const parameters = parametersOf(query);
    const client = await this.named(clientId, origin);
    if (client === 'unread') throw new WireError('invalid_client');
    if (!parameters || !client || client.redirectUris.length === 0)
      throw WireError.because('no_redirect_address');
    const redirectUri = only(parameters, 'redirect_uri');
    if (redirectUri === undefined) throw WireError.because('missing', 'redirect_uri');
    if (!isRegistered(redirectUri, client.redirectUris))
      throw WireError.because('unknown_redirect_uri', 'redirect_uri');
    const request = await this.judge(parameters, client, returnAddress(parameters, redirectUri));
    if (!('error' in request)) return;
    const code = PUSH_ERRORS.find((one) => one === request.error) ?? 'invalid_request';
    throw new WireError(code, {}, { parameter: request.parameter });
  }

  /** Marks a pushed request as answered without a code; issuing a code marks it as well. @throws Unavailable */
  async spend({ pushed }: AuthorizationRequest): Promise<void> {
    if (pushed) await this.pushed.spend(pushed);
  }

  /** @returns 'unread' if the client's metadata document cannot be read @throws WireError too_many_requests */
  private async named(
    clientId: string | undefined,
    origin: RequestOrigin,
  ): Promise<ClientRecord | undefined | 'unread'> {
    if (clientId === undefined) return undefined;
    if (this.documents.isOne(clientId)) return (await this.documents.find(clientId, origin)) ?? 'unread';
    // with metadata documents switched off, a document that was read before no longer counts
    return clientId.startsWith('https:') ? undefined : this.clients.find(clientId);
  }

  private async judge(
    parameters: ReadonlyMap<string, readonly string[]>,
    client: ClientRecord,
    address: ReturnAddress,
  ): Promise<AuthorizationRequest | Refused> {
    const request = readRequest(parameters, client, address);
    if ('error' in request) return request;
    const scope = await this.access.within(request, parseScope(only(parameters, 'scope') ?? '') ?? []);
    return 'error' in scope ? scope : { ...request, scope };
  }

  audienceOf({ resource }: AuthorizationRequest): string {
    return resource ?? this.config.AUDIENCE;
  }

  /**
   * Refuses without asking the person. If nobody has checked the client, Keks does not redirect to it at once: else
   * anybody could register an address, send a request that is wrong on purpose, and use a link to Keks that leads to
   * the registered address (RFC 9700 §4.11.2).
   */
  refuse(client: ClientRecord, address: ReturnAddress, why: Refused): Outcome {
    const answer = this.refusal(address, why);
    return client.selfRegistered ? { leaving: answer, client } : { answer };
  }

  refusal(address: ReturnAddress, { error, description }: Refused): ClientAnswer {
    return this.answer(address, [
      ['error', error],
      ['error_description', description],
    ]);
  }

  /** RFC 9207: every answer names its issuer. */
  answer(address: ReturnAddress, parameters: [string, string][]): ClientAnswer {
    if (address.state !== undefined) parameters.push(['state', address.state]);
    return { address, parameters: [...parameters, ['iss', this.config.ISSUER]] };
  }
}
