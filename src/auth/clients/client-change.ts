import type { PublicJwk } from './client-keys.js';
import type { ClientChange } from './client-record.js';
import type { Client } from './client.entity.js';

/** The row after the change, and the columns that may have changed. What the change does not name stays as it is. */
export function changedClient(
  client: Client,
  change: ClientChange,
  now: Date,
): { readonly after: Client; readonly columns: Partial<Client> & { readonly jwks: PublicJwk[] | null } } {
  const since = change.disabled ? (client.disabledAt ?? now) : null;
  const columns = {
    name: change.name ?? client.name,
    scope: change.scope?.join(' ') ?? client.scope,
    resources: change.resources ? [...change.resources] : client.resources,
    redirectUris: change.redirectUris ? [...change.redirectUris] : client.redirectUris,
    deviceGrant: change.deviceGrant ?? client.deviceGrant,
    requirePushed: change.requirePushed ?? client.requirePushed,
    dpopBound: change.dpopBound ?? client.dpopBound,
    tokenExchange: change.tokenExchange ?? client.tokenExchange,
    // a list that nobody changes in place
    jwks: (change.jwks ?? client.jwks) as PublicJwk[] | null,
    disabledAt: change.disabled === undefined ? client.disabledAt : since,
  };
  return { after: { ...client, ...columns }, columns };
}
