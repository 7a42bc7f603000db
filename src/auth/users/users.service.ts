import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { INSERT_AUDIT_EVENT, auditValues } from '../audit/audit-event.js';
import { OwnerEndings } from '../grants/owner-endings.js';
import type { RequestOrigin } from '../request-origin.js';
import { isGrantable } from '../scope.js';
import { NewPasswords } from './new-passwords.js';
import type { PasswordFlaw } from './password-policy.js';
import { UserChanges } from './user-changes.js';
import { userName, type UserName } from './user-name.js';
import * as sql from './users.sql.js';
import type { Queries } from '../../database/statement.js';
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

const LOGINS = ['login'] as const;
const BOTH = ['login', 'api_key'] as const;

/** Owns users and their passwords; never tokens. */
@Injectable()
export class UsersService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly passwords: NewPasswords,
    private readonly changes: UserChanges,
    private readonly endings: OwnerEndings,
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

  /** Without the password policy: only for the demo user, whose password everybody knows anyway. */
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
    const folded = userName(name)?.folded ?? '';
    const [user] = await this.database.run<sql.UserRow>(sql.FIND_BY_NAME, [folded]);
    if (!user) return { flaw: 'unknown' };
    const made = await this.passwords.hashOf(password, user.name);
    if ('flaw' in made) return made;
    return this.endings.transaction(async (queries, end) => {
      const [row] = await queries.run<sql.UserRow>(sql.SET_PASSWORD, [user.id, made.hash]);
      if (!row) return { flaw: 'unknown' };
      const by = { actor: 'operator', origin };
      const grants = { userId: row.id, kinds: keys ? BOTH : LOGINS };
      await end(grants, 'password_changed', by);
      await this.audit(queries, 'user.password_changed', by, row, { keys });
      return { changed: recordOf(row) };
    });
  }

  /** Disabling revokes every grant of the user in the same transaction; enabling gives none of them back. */
  async setDisabled(name: string, disabled: boolean, origin: RequestOrigin): Promise<UserRecord | undefined> {
    const [user] = await this.database.run<sql.UserRow>(sql.FIND_BY_NAME, [userName(name)?.folded ?? '']);
    const row = user && (await this.changes.change(user.id, { disabled }, { actor: 'operator', origin }));
    return row && recordOf(row);
  }

  async exists(name: string): Promise<boolean> {
    const rows = await this.database.run(sql.FIND_BY_NAME, [userName(name)?.folded ?? '']);
    return rows.length > 0;
  }

  async list(): Promise<UserRecord[]> {
    return (await this.database.run<sql.UserRow>(sql.LIST)).map(recordOf);
  }

  private insert(
    { name, folded }: UserName,
    hash: string,
    scope: readonly string[],
    by: Initiator,
  ): Promise<AddUser> {
    return this.database.transaction(async (queries) => {
      const [row] = await queries.run<sql.UserRow>(sql.ADD, [name, folded, hash, scope.join(' ')]);
      if (!row) return { flaw: 'name_taken' };
      await this.audit(queries, 'user.added', by, row, { scope: row.scope });
      return { added: recordOf(row) };
    });
  }

  private async audit(
    queries: Queries,
    type: string,
    by: Initiator,
    user: sql.UserRow,
    detail: object,
  ): Promise<void> {
    const event = { type, ...by, detail: { user: user.name, ...detail } };
    await queries.run(INSERT_AUDIT_EVENT, auditValues(this.clock, event));
  }
}

export function recordOf(row: sql.UserRow): UserRecord {
  return {
    id: row.id,
    name: row.name,
    scope: row.scope,
    disabled: row.disabled_at !== null,
    createdAt: row.created_at,
  };
}
