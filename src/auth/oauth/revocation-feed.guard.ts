import { Injectable } from '@nestjs/common';
import { Refusals } from '../audit/refusals.js';
import { ClientAuthentication, type GenuineSecret } from '../clients/client-authentication.js';
import type { ClientRequest } from '../clients/client-credentials.js';
import { ClientGuard } from '../clients/client.guard.js';
import { ClientThrottle } from '../throttle/client-throttle.js';
import { RevocationFeed } from './revocation-feed.js';

/**
 * Hears what a guard has applied while its client is still being authenticated: an end waits for the guard, and not for
 * the database.
 */
@Injectable()
export class RevocationFeedGuard extends ClientGuard {
  constructor(
    clients: ClientAuthentication,
    throttle: ClientThrottle,
    refusals: Refusals,
    private readonly feed: RevocationFeed,
  ) {
    super(clients, throttle, refusals);
  }

  protected override meanwhile({ body }: ClientRequest, { clientId, digest }: GenuineSecret): void {
    const { guard, cursor } = (body ?? {}) as { guard?: string; cursor?: string };
    if (guard !== undefined && cursor !== undefined) this.feed.hear(guardOf(clientId, guard), cursor, digest);
  }
}

/** The guard's name, which no other guard of any client has. */
export function guardOf(clientId: string, guard: string): string {
  return `${clientId} ${guard}`;
}
