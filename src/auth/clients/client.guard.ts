import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import { Refusals } from '../audit/refusals.js';
import { originOf, type HttpRequest } from '../request-origin.js';
import { ClientThrottle } from '../throttle/client-throttle.js';
import {
  ClientAuthentication,
  type AuthenticatedClient,
  type GenuineSecret,
} from './client-authentication.js';
import { claimedClientId, type ClientRequest } from './client-credentials.js';

const CLIENT = Symbol('keks:client');

interface GuardedRequest extends ClientRequest, HttpRequest {
  readonly headers: ClientRequest['headers'] & HttpRequest['headers'];
  [CLIENT]?: AuthenticatedClient | undefined;
}

/** Client authentication where a request may also come without one: at the token endpoint. Before anything is judged. */
@Injectable()
export class OptionalClientGuard implements CanActivate {
  /** Whether it is enough to say one's name, of those who have no secret. */
  protected readonly admitsPublic: boolean = true;

  constructor(
    private readonly clients: ClientAuthentication,
    private readonly throttle: ClientThrottle,
    private readonly refusals: Refusals,
  ) {}

  /** @throws WireError invalid_request, invalid_client, too_many_requests; Unavailable */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    try {
      const secret = this.clients.presented(request);
      if (secret?.digest) this.meanwhile(request, secret);
      const client = secret && (await this.clients.authenticate(secret));
      if (client?.isPublic && !this.admitsPublic) throw new WireError('invalid_client');
      request[CLIENT] = client;
    } catch (error) {
      if (error instanceof WireError && error.code === 'invalid_client') await this.failed(request);
      throw error;
    }
    return true;
  }

  /** What may begin while the database is asked about a client whose secret we made. Nothing of it is an answer. */
  protected meanwhile(_request: ClientRequest, _secret: GenuineSecret): void {}

  /** Only here is an address refused: what a stranger does behind the same one takes nothing from a client with its secret. */
  private async failed(request: GuardedRequest): Promise<void> {
    this.throttle.admit(request.clientAddress);
    await this.throttle.failed(request.clientAddress);
    const detail = { client_id: claimedClientId(request) };
    const refused = { type: 'client.refused', actor: null, origin: originOf(request), detail } as const;
    await this.refusals.note(refused, 'invalid_client');
  }
}

/** Client authentication where nobody else may ask. */
@Injectable()
export class ClientGuard extends OptionalClientGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    if (!context.switchToHttp().getRequest<GuardedRequest>()[CLIENT]) throw new WireError('invalid_client');
    return true;
  }
}

/** The client that a guard has authenticated; undefined behind OptionalClientGuard if there was none. */
export const CurrentClient = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<GuardedRequest>()[CLIENT],
);
