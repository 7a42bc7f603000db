import { isGrantable } from '../scope.js';
import { areResources, isResourceUri } from './resource.js';
import { FIRST_PARTY_CLIENT } from '../tokens/token-lookup.sql.js';
import type { NewClient } from './clients.service.js';

export type ClientFlaw =
  'name_invalid' | 'name_reserved' | 'scope_invalid' | 'audience_invalid' | 'resources_invalid';

const APIS_MOST = 20;

/** What is wrong with a client that somebody wants to add or change. */
export function clientFlaw({ name, scope, audience, resources }: Partial<NewClient>): ClientFlaw | undefined {
  if (name !== undefined && (name.trim() !== name || !/^\P{C}{1,100}$/u.test(name))) return 'name_invalid';
  if (name?.normalize('NFKC').toLowerCase() === FIRST_PARTY_CLIENT) return 'name_reserved';
  if (scope && !scope.every(isGrantable)) return 'scope_invalid';
  if (audience && (audience.length > APIS_MOST || !audience.every(isResourceUri))) return 'audience_invalid';
  if (resources && (resources.length > APIS_MOST || !areResources(resources))) return 'resources_invalid';
  return undefined;
}
