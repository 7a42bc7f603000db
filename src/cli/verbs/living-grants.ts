import type { GrantOwner } from '../../auth/grants/grants.service.js';
import type { GrantRow } from '../../auth/grants/grants.sql.js';
import { Refusal } from '../refusal.js';
import type { Services } from '../services.js';

const PAGE = 1_000;

/** All that live, newest first. */
export async function livingGrants(services: Services, owner: GrantOwner): Promise<GrantRow[]> {
  const { GrantsService } = await import('../../auth/grants/grants.service.js');
  const grants = services.get(GrantsService);
  const found: GrantRow[] = [];
  for (let part = await grants.list(owner, PAGE); ; part = await grants.list(owner, PAGE, part.rest)) {
    found.push(...part.rows);
    if (!part.rest) return found;
  }
}

/** @throws Refusal */
export async function userIdOf(services: Services, name: string): Promise<string> {
  const { UsersDirectory } = await import('../../auth/users/users-directory.js');
  const row = await services.get(UsersDirectory).findByName(name);
  if (!row) throw new Refusal('not_found', 'There is no user of this name: see "keks user list".');
  return row.id;
}
