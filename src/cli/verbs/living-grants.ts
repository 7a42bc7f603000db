import type { GrantOwner } from '../../auth/grants/grants.service.js';
import type { GrantRow } from '../../auth/grants/grants.sql.js';
import { PAGE } from '../listing.js';
import { Refusal } from '../refusal.js';
import type { Services } from '../services.js';

/** All that live, newest first, so many at a time. */
export async function* livingGrants(services: Services, owner: GrantOwner): AsyncGenerator<GrantRow[]> {
  const { GrantsService } = await import('../../auth/grants/grants.service.js');
  for (let page; page === undefined || page.length === PAGE;) {
    page = await services.get(GrantsService).list(owner, PAGE, page?.at(-1)?.position);
    yield page;
  }
}

/** @throws Refusal */
export async function userIdOf(services: Services, name: string): Promise<string> {
  const { UsersDirectory } = await import('../../auth/users/users-directory.js');
  const row = await services.get(UsersDirectory).findByName(name);
  if (!row) throw new Refusal('not_found', 'There is no user of this name: see "keks user list".');
  return row.id;
}
