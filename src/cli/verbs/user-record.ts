import type { UserRecord, UsersService } from '../../auth/users/users.service.js';
import type { RequestOrigin } from '../../auth/request-origin.js';
import { facts, moment, type Answer } from '../answer.js';
import type { Refusal } from '../refusal.js';
import { judged } from '../style.js';
import type { UserFlaw } from './user-refusal.js';

/** One user as verbs show it, and their refusals. */

export async function show(nameOrId: string): Promise<Answer> {
  const record = await withUsers((users) => users.find(nameOrId));
  if (!record) throw await refusalOf('unknown', nameOrId);
  return {
    json: detailsOf(record),
    text: facts([
      ['name', record.name],
      ['id', record.id],
      ['scope', record.scope],
      ['state', judged(record.disabled ? 'disabled' : 'enabled')],
      ['created', moment(record.createdAt)],
    ]),
  };
}

/** Replaces the whole scope: what is not named is taken away. */
export async function setScope(name: string, text: string): Promise<Answer> {
  const { parseScope } = await import('../../auth/scope.js');
  const scope = parseScope(text);
  if (!scope) throw await refusalOf('scope_malformed', name);
  const result = await withUsers((users, origin) => users.setScope(name, scope, origin));
  if ('flaw' in result) throw await refusalOf(result.flaw, name);
  const { changed } = result;
  return {
    json: publicOf(changed),
    text: `${changed.name} may do: ${changed.scope || 'nothing'}. Logins and keys that could do more have ended.`,
  };
}

export function publicOf({ id, name, scope }: UserRecord): { id: string; name: string; scope: string } {
  return { id, name, scope };
}

export function detailsOf(record: UserRecord): object {
  return { ...publicOf(record), disabled: record.disabled, created_at: record.createdAt.toISOString() };
}

export async function withUsers<T>(
  work: (users: UsersService, origin: RequestOrigin) => Promise<T>,
): Promise<T> {
  const [{ withServices }, { UsersService }, { OPERATOR }] = await Promise.all([
    import('../services.js'),
    import('../../auth/users/users.service.js'),
    import('../../auth/request-origin.js'),
  ]);
  return withServices((services) => work(services.get(UsersService), OPERATOR));
}

export async function refusalOf(flaw: UserFlaw, name: string): Promise<Refusal> {
  const { userRefusal } = await import('./user-refusal.js');
  return userRefusal(flaw, name);
}
