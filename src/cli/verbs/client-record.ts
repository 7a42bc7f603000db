import type { Initiator } from '../../auth/audit/actor.js';
import type { ClientRecord, ClientsService } from '../../auth/clients/clients.service.js';
import type { Config } from '../../config/config.js';

/** One client as verbs see one. */

export const UNKNOWN = 'There is no client with this id: see "keks client list".';

export function publicOf(one: ClientRecord): object {
  return {
    client_id: one.clientId,
    name: one.name,
    scope: one.scope,
    audience: one.audience,
    resources: one.resources ?? null,
    redirect_uris: one.redirectUris,
    device_grant: one.deviceGrant,
    require_pushed_authorization_requests: one.requirePushed,
    token_endpoint_auth_method: one.isPublic ? 'none' : one.jwks ? 'private_key_jwt' : 'client_secret_basic',
    self_registered: one.selfRegistered,
    token_format: one.tokenFormat,
    dpop_bound_access_tokens: one.dpopBound,
    token_exchange: one.tokenExchange,
    disabled: one.disabled,
    created_at: one.createdAt.toISOString(),
  };
}

/** Each may be followed by scopes. */
export function listOf(resources: readonly string[]): string {
  return resources.join(', ');
}

export async function withClients<T>(
  work: (clients: ClientsService, by: Initiator, config: Config) => Promise<T>,
): Promise<T> {
  const [{ withServices }, { ClientsService }, { OPERATOR }] = await Promise.all([
    import('../services.js'),
    import('../../auth/clients/clients.service.js'),
    import('../../auth/request-origin.js'),
  ]);
  return withServices((services, { config }) =>
    work(services.get(ClientsService), { actor: 'operator', origin: OPERATOR }, config),
  );
}
