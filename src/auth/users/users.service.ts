import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryDeepPartialEntity } from 'typeorm';
import { Clock } from '../../database/clock.js';
import type { RowOf } from '../../database/columns.js';
import { Database } from '../../database/database.js';
import { audit } from '../audit/audit-event.js';
import type { RequestOrigin } from '../request-origin.js';
import { isGrantable } from '../scope.js';
import { isUuid } from '../uuid.js';
import { NewPasswords } from './new-passwords.js';
import type { PasswordFlaw } from './password-policy.js';
import { UserChanges } from './user-changes.js';
import { userName, type UserName } from './user-name.js';
import { chosenPassword, User } from './user.entity.js';
import { UsersDirectory } from './users-directory.js';
import type { Initiator } from '../audit/actor.js';

/** A user as operators see one. */
export interface UserRecord {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

export type AddUser =
  | { readonly added: UserRecord }
  | { readonly flaw: PasswordFlaw | 'name_invalid' | 'name_taken' | 'scope_invalid' };

/** Owns users and their passwords; never tokens. */
@Injectable()
export class UsersService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly passwords: NewPasswords,
    private readonly directory: UsersDirectory,
    private readonly changes: UserChanges,
  ) {}

  /** @param scope parsed already */
  async add(
    name: string,
    password: string,
    scope: readonly string[],
    origin: RequestOrigin,
    actor = 'operator',
  ): Promise<AddUser> {
    const parsed = userName(name);
    if (!parsed) return { flaw: 'name_invalid' };
    if (!scope.every(isGrantable)) return { flaw: 'scope_invalid' };
    const made = await this.passwords.hashOf(password, parsed.name);
    return 'flaw' in made ? made : this.insert(parsed, made.hash, scope, { actor, origin });
  }

  /** Without the password policy. Only for the demo user, whose password everybody knows. */
  async addUnchecked(
    name: string,
    password: string,
    scope: readonly string[],
    origin: RequestOrigin,
  ): Promise<AddUser> {
    const parsed = userName(name);
    if (!parsed) return { flaw: 'name_invalid' };
    if (!scope.every(isGrantable)) return { flaw: 'scope_invalid' };
    const hash = await this.passwords.hashOfUnchecked(password);
    return this.insert(parsed, hash, scope, { actor: 'operator', origin });
  }

  /**
   * Sets a new password and revokes the logins made with the old one, in one transaction.
   * @param keys whether the user's API keys end too
   */
  async setPassword(
    name: string,
    password: string,
    keys: boolean,
    origin: RequestOrigin,
  ): Promise<{ changed: UserRecord } | { flaw: PasswordFlaw | 'unknown' }> {
    const user = await this.directory.findByName(name);
    if (!user) return { flaw: 'unknown' };
    const made = await this.passwords.hashOf(password, user.name);
    if ('flaw' in made) return made;
    const set = await this.changes.setPassword(user, made.hash, keys, { actor: 'operator', origin });
    return set ? { changed: recordOf(user) } : { flaw: 'unknown' };
  }

  /** Disabling revokes every grant of the user in the same transaction; enabling gives none of them back. */
  async setDisabled(name: string, disabled: boolean, origin: RequestOrigin): Promise<UserRecord | undefined> {
    const user = await this.directory.findByName(name);
    const changed = user && (await this.changes.change(user.id, { disabled }, { actor: 'operator', origin }));
    return changed ? recordOf(changed) : undefined;
  }

  /**
   * Taking scope away ends the grants that may do more than what is left, in the same transaction.
   * @param scope parsed already
   */
  async setScope(
    name: string,
    scope: readonly string[],
    origin: RequestOrigin,
  ): Promise<{ changed: UserRecord } | { flaw: 'scope_invalid' | 'unknown' }> {
    if (!scope.every(isGrantable)) return { flaw: 'scope_invalid' };
    const user = await this.directory.findByName(name);
    const change = { scope: scope.join(' ') };
    const changed = user && (await this.changes.change(user.id, change, { actor: 'operator', origin }));
    return changed ? { changed: recordOf(changed) } : { flaw: 'unknown' };
  }

  /** By name; if nobody has this name, by id. */
  async find(nameOrId: string): Promise<UserRecord | undefined> {
    const named = await this.directory.findByName(nameOrId);
    const user = named ?? (isUuid(nameOrId) ? await this.directory.find(nameOrId) : null);
    return user ? recordOf(user) : undefined;
  }

  async exists(name: string): Promise<boolean> {
    return (await this.directory.findByName(name)) !== null;
  }

  /** All, by name, so many at a time. */
  async *pages(size: number): AsyncGenerator<UserRecord[]> {
    for (let page; page === undefined || page.length === size;) {
      page = await this.directory.page(page?.at(-1)?.position, size);
      yield page.map(recordOf);
    }
  }

  private insert(
    { name, folded }: UserName,
    hash: string,
    scope: readonly string[],
    by: Initiator,
  ): Promise<AddUser> {
    return this.database.transaction(async (transaction) => {
      const words = scope.join(' ');
      const row = { name, nameFolded: folded, scope: words, ...chosenPassword(hash) };
      const added = await insertUnlessTaken(transaction.entities, row);
      if (!added) return { flaw: 'name_taken' };
      const event = { type: 'user.added', ...by, detail: { user: name, scope: words } };
      await audit(transaction, this.clock, event);
      return { added: { id: added.id, name, scope: words, disabled: false, createdAt: added.created_at } };
    });
  }
}

/** If two take the same name at once, the second gets no row, and no error that would end its transaction. */
async function insertUnlessTaken(
  entities: EntityManager,
  row: QueryDeepPartialEntity<User>,
): Promise<RowOf<User, ['id', 'createdAt']> | undefined> {
  const insert = entities.createQueryBuilder().insert().into(User).values(row).orIgnore();
  const { raw } = await insert.updateEntity(false).returning(['id', 'createdAt']).execute();
  return (raw as RowOf<User, ['id', 'createdAt']>[])[0];
}

export function recordOf({ id, name, scope, disabledAt, createdAt }: User): UserRecord {
  return { id, name, scope, disabled: disabledAt !== null, createdAt };
}
