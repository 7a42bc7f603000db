import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { ClientsService, type ClientRecord } from '../clients/clients.service.js';
import { isAuthoritysOwn, OFFLINE_ACCESS, parseScope, subset } from '../scope.js';
import { refused, wantedScope, type Refused } from './authorization-request.js';

/** What a client asks a person for, in any flow. */
export interface Access {
  readonly scope: readonly string[];
  /** Whether the client wants to act while the person is away. */
  readonly offline: boolean;
  readonly audience: string;
}

/** Owns how much a client may ask people for; never what a person has. */
@Injectable()
export class RequestedAccess {
  constructor(
    private readonly clients: ClientsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @param text the scope as it was sent */
  async of(
    client: ClientRecord,
    text: string | undefined,
    resource: string | undefined,
  ): Promise<Access | Refused> {
    const wanted = wantedScope(text, client);
    if (!wanted)
      return refused('invalid_scope', 'The scope is malformed, or more than this client may have.');
    const scope = await this.within({ ...wanted, client, resource }, parseScope(text ?? '') ?? []);
    if ('error' in scope) return scope;
    return { scope, offline: wanted.offline, audience: resource ?? this.config.AUDIENCE };
  }

  /**
   * Limits the scope to what this client may have at the API that it names. A scope in `asked` beyond that limit is
   * refused; a scope that the client did not name is left out.
   */
  async within(
    request: {
      readonly client: ClientRecord;
      readonly scope: readonly string[];
      readonly resource: string | undefined;
    },
    asked: readonly string[],
  ): Promise<readonly string[] | Refused> {
    const { resource: uri, client, scope } = request;
    if (uri === undefined || uri === this.config.AUDIENCE) return scope;
    const resource = await this.clients.reach(client.clientId, uri);
    if (!resource) return refused('invalid_target', 'This client gets no tokens for that API.');
    const { scope: most } = resource;
    if (!most) return scope;
    const named = asked.filter((one) => one !== OFFLINE_ACCESS);
    if (!subset(named, most))
      return refused('invalid_scope', 'The scope is more than this client may have for that API.');
    return scope.filter((one) => most.includes(one));
  }
}

/**
 * The part of a scope that a person can give: only what they have, and never access to their own account.
 * @returns undefined if the person has nothing of the scope
 */
export function givable(scope: readonly string[], personHas: string): readonly string[] | undefined {
  const own = (parseScope(personHas) ?? []).filter((one) => !isAuthoritysOwn(one));
  const given = scope.filter((one) => own.includes(one));
  return given.length === 0 && scope.length > 0 ? undefined : given;
}
