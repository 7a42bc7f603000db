import { isGrantable } from '../scope.js';
import { FIRST_PARTY_CLIENT } from '../tokens/token-lookup.sql.js';
import type { NewClient } from './clients.service.js';

export type ClientFlaw =
  'name_invalid' | 'name_reserved' | 'scope_invalid' | 'audience_invalid' | 'resources_invalid';

const AUDIENCES_MOST = 20;

/** What is wrong with a client that somebody wants to add or change. */
export function clientFlaw({ name, scope, audience, resources }: Partial<NewClient>): ClientFlaw | undefined {
  if (name !== undefined && (name.trim() !== name || !/^\P{C}{1,100}$/u.test(name))) return 'name_invalid';
  if (name?.normalize('NFKC').toLowerCase() === FIRST_PARTY_CLIENT) return 'name_reserved';
  if (scope && !scope.every(isGrantable)) return 'scope_invalid';
  if (audience && !areResources(audience)) return 'audience_invalid';
  if (resources && !areResources(resources)) return 'resources_invalid';
  return undefined;
}

function areResources(texts: readonly string[]): boolean {
  return texts.length <= AUDIENCES_MOST && texts.every(isResource);
}

/** RFC 8707 §2: an absolute URI without a fragment. */
export function isResource(text: string): boolean {
  return text.length <= 1_000 && /^[!-~]+$/.test(text) && URL.canParse(text) && !text.includes('#');
}
