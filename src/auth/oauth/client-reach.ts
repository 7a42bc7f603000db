import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { WireError } from '../../http/errors/wire-error.js';
import { ClientsService } from '../clients/clients.service.js';
import { parseScope, subset } from '../scope.js';

/** Owns the APIs for which a client gets tokens, and which part of its scope these tokens may carry. */
@Injectable()
export class ClientReach {
  constructor(
    private readonly clients: ClientsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The most that a token for this API may carry. @throws WireError invalid_target */
  async most(
    { clientId, scope }: { readonly clientId: string; readonly scope: string },
    audience: string,
  ): Promise<readonly string[]> {
    const all = parseScope(scope) ?? [];
    if (audience === this.config.AUDIENCE) return all;
    const resource = await this.clients.reach(clientId, audience);
    if (!resource) throw new WireError('invalid_target');
    return resource.scope ? all.filter((one) => resource.scope?.includes(one)) : all;
  }
}

/**
 * The requested scope; all of `most` if nothing is requested. No client has `offline_access`, so it is refused.
 * @throws WireError invalid_scope
 */
export function scopeWithin(most: readonly string[], requested: string | undefined): string {
  if (requested === undefined) return most.join(' ');
  const wanted = parseScope(requested);
  if (!wanted || !subset(wanted, most)) throw new WireError('invalid_scope');
  return wanted.join(' ');
}
