import type { GrantOwner } from '../../auth/grants/grants.service.js';
import type { GrantRow, OwnGrantRows } from '../../auth/grants/grants.sql.js';
import type { Part, Position } from '../../auth/lists/cursors.js';
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
  yield* allOf((after) => grants.list(owner, PAGE, after));
}

/** The logins of one person. */
export async function* livingLogins(
  services: Services,
  userId: string,
): AsyncGenerator<readonly OwnGrantRows['login'][]> {
  const { GrantsService } = await import('../../auth/grants/grants.service.js');
  const grants = services.get(GrantsService);
  yield* allOf((after) => grants.listOwn('login', userId, PAGE, after));
}

async function* allOf<R>(read: (after?: Position) => Promise<Part<R>>): AsyncGenerator<readonly R[]> {
  for (let part = await read(); ; part = await read(part.rest)) {
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
