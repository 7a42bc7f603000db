import type { GrantOwner } from '../../auth/grants/grants.service.js';
import type { GrantRow } from '../../auth/grants/grants.sql.js';
import { PAGE } from '../listing.js';
import { Refusal } from '../refusal.js';
import type { Services } from '../services.js';

/** All that live, newest first, so many at a time. */
export async function* livingGrants(
  services: Services,
  owner: GrantOwner,
): AsyncGenerator<readonly GrantRow[]> {
  const { GrantsService } = await import('../../auth/grants/grants.service.js');
  const grants = services.get(GrantsService);
  for (let part = await grants.list(owner, PAGE); ; part = await grants.list(owner, PAGE, part.rest)) {
    yield part.rows;
    if (!part.rest) return;
  }
}

/** @throws Refusal */
export async function userIdOf(services: Services, name: string): Promise<string> {
  const { UsersDirectory } = await import('../../auth/users/users-directory.js');
  const row = await services.get(UsersDirectory).findByName(name);
  if (!row) throw new Refusal('not_found', 'There is no user of this name: see "keks user list".');
  return row.id;
}
