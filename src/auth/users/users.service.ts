import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database, type Queries } from '../../database/database.js';
import { INSERT_AUDIT_EVENT, auditValues } from '../audit/audit-event.js';
import { revokeGrantsOfUser } from '../grants/grant-revocation.js';
import type { RequestOrigin } from '../request-origin.js';
import { isGrantable } from '../scope.js';
import { LoginLane } from './login-lane.js';
import { PasswordHash } from './password-hash.js';
import { PasswordPolicy, type PasswordFlaw } from './password-policy.js';
import { userName } from './user-name.js';
import * as sql from './users.sql.js';

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
    private readonly hash: PasswordHash,
    private readonly policy: PasswordPolicy,
    private readonly lane: LoginLane,
  ) {}

  /** @param scope parsed already */
  async add(
    name: string,
    password: string,
    scope: readonly string[],
    origin: RequestOrigin,
  ): Promise<AddUser> {
    const parsed = userName(name);
    if (!parsed) return { flaw: 'name_invalid' };
    const flaw = await this.policy.flawOf(password, [parsed.name]);
    return flaw ? { flaw } : this.addUnchecked(name, password, scope, origin);
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
    const hash = await this.lane.run(() => this.hash.make(password));
    return this.database.transaction(async (queries) => {
      const [row] = await queries.run<sql.UserRow>(sql.ADD, [
        parsed.name,
        parsed.folded,
        hash,
        scope.join(' '),
      ]);
      if (!row) return { flaw: 'name_taken' };
      await this.audit(queries, 'user.added', origin, row, { scope: row.scope });
      return { added: recordOf(row) };
    });
  }

  /**
   * Sets a new password and revokes the logins made with the old one, in one transaction.
   * @param keys true to revoke the user's API keys as well
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
    const flaw = await this.policy.flawOf(password, [user.name]);
    if (flaw) return { flaw };
    const hash = await this.lane.run(() => this.hash.make(password));
    return this.database.transaction(async (queries) => {
      const [row] = await queries.run<sql.UserRow>(sql.SET_PASSWORD, [user.id, hash]);
      if (!row) return { flaw: 'unknown' };
      await revokeGrantsOfUser(
        queries,
        row.id,
        keys ? ['login', 'api_key'] : ['login'],
        'password_changed',
        this.clock,
      );
      await this.audit(queries, 'user.password_changed', origin, row, { keys });
      return { changed: recordOf(row) };
    });
  }

  /** Disabling revokes every grant of the user in the same transaction; enabling gives none of them back. */
  async setDisabled(name: string, disabled: boolean, origin: RequestOrigin): Promise<UserRecord | undefined> {
    const folded = userName(name)?.folded ?? '';
    return this.database.transaction(async (queries) => {
      const disabledAt = disabled ? new Date(this.clock.now()) : null;
      const [row] = await queries.run<sql.UserRow>(sql.SET_DISABLED, [folded, disabledAt]);
      if (!row) return undefined;
      if (disabled)
        await revokeGrantsOfUser(queries, row.id, ['login', 'api_key'], 'user_disabled', this.clock);
      await this.audit(queries, disabled ? 'user.disabled' : 'user.enabled', origin, row, {});
      return recordOf(row);
    });
  }

  async exists(name: string): Promise<boolean> {
    const rows = await this.database.run(sql.FIND_BY_NAME, [userName(name)?.folded ?? '']);
    return rows.length > 0;
  }

  async list(): Promise<UserRecord[]> {
    return (await this.database.run<sql.UserRow>(sql.LIST)).map(recordOf);
  }

  private async audit(
    queries: Queries,
    type: string,
    origin: RequestOrigin,
    user: sql.UserRow,
    detail: object,
  ): Promise<void> {
    await queries.run(
      INSERT_AUDIT_EVENT,
      auditValues(this.clock, { type, origin, detail: { user: user.name, ...detail } }),
    );
  }
}

function recordOf(row: sql.UserRow): UserRecord {
  return {
    id: row.id,
    name: row.name,
    scope: row.scope,
    disabled: row.disabled_at !== null,
    createdAt: row.created_at,
  };
}
