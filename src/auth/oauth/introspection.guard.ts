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

/** Looks at the token while the client is still being proved: one wait for the database, and not two. */
@Injectable()
export class IntrospectionGuard extends ClientGuard {
  /** RFC 7662 §2.1: anybody can say a public client's name. */
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
    // a client that is refused waits for nothing
    sighting.catch(() => undefined);
    (request as LookedAt)[SIGHTING] = sighting;
  }
}

/** What the guard has begun to look at: there if the body has a token. */
export const CurrentSighting = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<LookedAt>()[SIGHTING],
);
