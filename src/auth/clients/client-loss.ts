import { parseScope, subset } from '../scope.js';
import type { Client } from './client.entity.js';
import { isApp } from './client-record.js';
import { resourceOf, type Resource } from './resource.js';

type Allowed = Pick<
  Client,
  'name' | 'scope' | 'resources' | 'redirectUris' | 'deviceGrant' | 'tokenExchange'
>;

type Loss =
  | 'name_changed'
  | 'scope_changed'
  | 'resources_changed'
  | 'redirect_uris_changed'
  | 'device_grant_changed'
  | 'token_exchange_changed';

/** Why tokens that a client has may be more than it may have now; undefined if it lost nothing. */
export function lossOf(before: Allowed, after: Allowed): Loss | undefined {
  // people have let in who was called so
  if (before.name !== after.name) return 'name_changed';
  if (!subset(parseScope(before.scope) ?? [], parseScope(after.scope) ?? [])) return 'scope_changed';
  if (reachesLess(before.resources, after.resources)) return 'resources_changed';
  if (before.tokenExchange && !after.tokenExchange) return 'token_exchange_changed';
  // what it had for itself, before it acted for people, is not theirs
  if (!isApp(before) && isApp(after))
    return after.deviceGrant ? 'device_grant_changed' : 'redirect_uris_changed';
  // an address that is taken away may have been somebody else's
  if (before.redirectUris.some((uri) => !after.redirectUris.includes(uri))) return 'redirect_uris_changed';
  return before.deviceGrant && !after.deviceGrant ? 'device_grant_changed' : undefined;
}

/** @param before null: any, of which whatever is named now is less */
function reachesLess(before: readonly string[] | null, after: readonly string[] | null): boolean {
  if (after === null) return false;
  if (before === null) return true;
  const now = new Map(after.map(resourceOf).map((resource) => [resource.uri, resource]));
  return before.map(resourceOf).some((resource) => carriesLess(resource, now.get(resource.uri)));
}

function carriesLess({ scope: before }: Resource, after: Resource | undefined): boolean {
  if (!after) return true;
  if (after.scope === undefined) return false;
  return before === undefined || subset(before, after.scope) === undefined;
}
