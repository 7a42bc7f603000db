import { isAuthoritysOwn, isGrantable } from '../scope.js';
import { areResources, isResourceUri } from './resource.js';
import { FIRST_PARTY_CLIENT } from '../tokens/token-lookup.sql.js';
import type { NewClient } from './client-record.js';
import { isRedirectUri } from './redirect-uris.js';

export type ClientFlaw =
  | 'name_invalid'
  | 'name_reserved'
  | 'scope_invalid'
  | 'audience_invalid'
  | 'resources_invalid'
  | 'redirect_uris_invalid'
  | 'jwks_invalid'
  | 'redirect_uris_missing'
  | 'scope_not_for_apps'
  | 'exchange_not_for_apps'
  | 'exchange_without_resources';

const APIS_MOST = 20;
const REDIRECT_URIS_MOST = 20;

/** What is wrong with a client that somebody wants to add or change. */
export function clientFlaw({
  name,
  scope,
  audience,
  resources,
  redirectUris,
}: Partial<NewClient>): ClientFlaw | undefined {
  if (name !== undefined && (name.trim() !== name || !/^\P{C}{1,100}$/u.test(name))) return 'name_invalid';
  if (name?.normalize('NFKC').toLowerCase() === FIRST_PARTY_CLIENT) return 'name_reserved';
  if (scope && !scope.every(isGrantable)) return 'scope_invalid';
  if (audience && (audience.length > APIS_MOST || !audience.every(isResourceUri))) return 'audience_invalid';
  if (resources && (resources.length > APIS_MOST || !areResources(resources))) return 'resources_invalid';
  if (redirectUris && !areRedirectUris(redirectUris)) return 'redirect_uris_invalid';
  return undefined;
}

/**
 * What does not fit together: a client without a secret can only act for people, and who acts for people never looks after
 * their accounts, nor after the authority, and goes to no API that they were not asked about.
 */
export function appFlaw({
  scope,
  redirectUris = [],
  deviceGrant = false,
  tokenExchange = false,
  isPublic,
}: Pick<NewClient, 'scope' | 'redirectUris' | 'deviceGrant' | 'tokenExchange'> & {
  readonly isPublic: boolean;
}): ClientFlaw | undefined {
  if (redirectUris.length === 0 && !deviceGrant) return isPublic ? 'redirect_uris_missing' : undefined;
  if (tokenExchange) return 'exchange_not_for_apps';
  return scope.some(isAuthoritysOwn) ? 'scope_not_for_apps' : undefined;
}

function areRedirectUris(texts: readonly string[]): boolean {
  return (
    texts.length <= REDIRECT_URIS_MOST && new Set(texts).size === texts.length && texts.every(isRedirectUri)
  );
}
