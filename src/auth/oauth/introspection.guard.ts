import { createParamDecorator, Injectable, type ExecutionContext } from '@nestjs/common';
import { Refusals } from '../audit/refusals.js';
import { ClientAuthentication } from '../clients/client-authentication.js';
import type { ClientRequest } from '../clients/client-credentials.js';
import { ClientGuard } from '../clients/client.guard.js';
import { ClientThrottle } from '../throttle/client-throttle.js';
import { Introspection, type Sighting } from './introspection.js';

const SIGHTING = Symbol('keks:sighting');

interface LookedAt {
  [SIGHTING]?: Promise<Sighting>;
}

/** Looks the token up while the client is being authenticated: the request waits for the database once, not twice. */
@Injectable()
export class IntrospectionGuard extends ClientGuard {
  /** RFC 7662 §2.1: a public client cannot authenticate; anybody can use its name. */
  protected override readonly admitsPublic = false;

  constructor(
    clients: ClientAuthentication,
    throttle: ClientThrottle,
    refusals: Refusals,
    private readonly introspection: Introspection,
  ) {
    super(clients, throttle, refusals);
  }

  protected override meanwhile(request: ClientRequest): void {
    const { token } = (request.body ?? {}) as { token?: unknown };
    if (typeof token !== 'string') return;
    const sighting = this.introspection.look(token);
    // if the client is refused, nobody waits for the look-up, and its error is dropped
    sighting.catch(() => undefined);
    (request as LookedAt)[SIGHTING] = sighting;
  }
}

/** The look-up that the guard has begun: there if the body has a token and the client has shown a secret. */
export const CurrentSighting = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<LookedAt>()[SIGHTING],
);
