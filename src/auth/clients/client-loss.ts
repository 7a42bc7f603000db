import { parseScope, subset } from '../scope.js';
import type { Client } from './client.entity.js';

type Allowed = Pick<Client, 'scope' | 'resources'>;

/** Why tokens that a client has may be more than it may have now; undefined if it lost nothing. */
export function lossOf(before: Allowed, after: Allowed): 'scope_changed' | 'resources_changed' | undefined {
  if (!subset(parseScope(before.scope) ?? [], parseScope(after.scope) ?? [])) return 'scope_changed';
  return reachesLess(before.resources, after.resources) ? 'resources_changed' : undefined;
}

/** @param before null: any, of which whatever is named now is less */
function reachesLess(before: readonly string[] | null, after: readonly string[] | null): boolean {
  if (after === null) return false;
  return before === null || before.some((resource) => !after.includes(resource));
}
