import { Injectable } from '@nestjs/common';
import { IsNull, type FindOptionsWhere, type QueryDeepPartialEntity } from 'typeorm';
import { Clock } from '../../database/clock.js';
import { audit } from '../audit/audit-event.js';
import { OwnerEndings } from '../grants/owner-endings.js';
import { scopeOfUser } from '../scope.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import { chosenPassword, User } from './user.entity.js';
import { lockUser, type UserWithState } from './users-directory.js';
import type { Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';

export interface UserChange {
  /** Space-separated, each of it grantable. */
  readonly scope?: string | undefined;
  readonly disabled?: boolean | undefined;
}

/** Owns changes of a user. Each one locks the user's row and ends the grants that it must, in the same transaction. */
@Injectable()
export class UserChanges {
  constructor(
    private readonly clock: Clock,
    private readonly endings: OwnerEndings,
    private readonly throttle: LoginThrottle,
  ) {}

  /**
   * Disabling revokes every grant; taking scope away revokes the grants that may do more than is left. Neither enabling
   * nor giving scope gives anything back.
   * @returns undefined if there is no such user
   */
  async change(id: string, change: UserChange, by: Initiator): Promise<User | undefined> {
    const changed = await this.apply(id, change, by);
    // also if the user was not disabled: enabling is how an operator lets somebody in who was throttled
    if (changed && change.disabled === false) await this.throttle.forgive(changed.nameFolded);
    return changed;
  }

  private apply(id: string, change: UserChange, by: Initiator): Promise<User | undefined> {
    return this.endings.transaction(async (transaction, end) => {
      const user = await lockUser(transaction.entities, id);
      if (!user) return undefined;
      const before = { scope: user.scope, disabled: user.disabledAt !== null };
      const { scope = before.scope, disabled = before.disabled } = change;
      const changed = changes(before, { scope, disabled }, new Date(this.clock.now()));
      if (changed) await transaction.entities.update(User, { id }, changed);
      const grants = { userId: id, kinds: ['login', 'api_key', 'consent'] } as const;
      if (disabled) await end(grants, 'user_disabled', by);
      else if (scope !== before.scope)
        await end({ ...grants, beyond: scopeOfUser(scope) }, 'scope_changed', by);
      if (disabled !== before.disabled)
        await this.audit(transaction, disabled ? 'user.disabled' : 'user.enabled', user, by);
      if (scope !== before.scope)
        await this.audit(transaction, 'user.scope_changed', user, by, { scope, before: before.scope });
      return (await transaction.entities.findOneBy(User, { id })) ?? undefined;
    });
  }

  /** Ends the logins made with the old one, and the API keys if so wanted. @returns false if the user is gone */
  setPassword(
    user: Pick<User, 'id' | 'name' | 'nameFolded'>,
    hash: string,
    keys: boolean,
    by: Initiator,
  ): Promise<boolean> {
    return this.replacePassword(user, { id: user.id }, hash, { keys, by });
  }

  /**
   * The same by the holder of a reset link. It also ends the keys and consents of before.
   * @param user as the link found it
   * @param link its name in the audit log
   * @returns false if something has changed since: if two use one link at once, one of them sets a password
   */
  resetPassword(user: UserWithState, hash: string, link: string, by: Initiator): Promise<boolean> {
    const { id, passwordHash, epoch } = user;
    const where = { id, passwordHash, epoch, disabledAt: IsNull() };
    return this.replacePassword(user, where, hash, { keys: true, by, link });
  }

  private async replacePassword(
    { id, name, nameFolded }: Pick<User, 'id' | 'name' | 'nameFolded'>,
    where: FindOptionsWhere<User>,
    hash: string,
    { keys, by, link }: { keys: boolean; by: Initiator; link?: string },
  ): Promise<boolean> {
    const set = await this.endings.transaction(async (transaction, end) => {
      const { affected } = await transaction.entities.update(User, where, chosenPassword(hash));
      if (affected !== 1) return false;
      await end(
        { userId: id, kinds: keys ? ['login', 'api_key', 'consent'] : ['login'] },
        'password_changed',
        by,
      );
      const detail = { keys, ...(link !== undefined && { link }) };
      await this.audit(transaction, 'user.password_changed', { id, name }, by, detail);
      return true;
    });
    if (set) await this.throttle.forgive(nameFolded);
    return set;
  }

  /** All of a user's tokens and keys, at once. @returns false if there is no such user */
  async revokeAll(id: string, by: Initiator): Promise<boolean> {
    return this.endings.transaction(async (transaction, end) => {
      const user = await lockUser(transaction.entities, id);
      if (!user) return false;
      const { grants } = await end(
        { userId: id, kinds: ['login', 'api_key', 'consent'] },
        'user_revoked',
        by,
      );
      await this.audit(transaction, 'user.revoked', user, by, { grants });
      return true;
    });
  }

  private async audit(
    queries: Queries,
    type: string,
    { id, name }: Pick<User, 'id' | 'name'>,
    by: Initiator,
    detail: object = {},
  ): Promise<void> {
    const event = { type, ...by, detail: { user: name, user_id: id, ...detail } };
    await audit(queries, this.clock, event);
  }
}

interface State {
  readonly scope: string;
  readonly disabled: boolean;
}

/**
 * The columns that change. A user who is disabled again keeps the time of the first disabling. The new epoch tells the
 * trigger, which ends the grants of users who are disabled by SQL, that their end is done here.
 */
function changes(before: State, after: State, now: Date): QueryDeepPartialEntity<User> | undefined {
  const scope = after.scope === before.scope ? {} : { scope: after.scope };
  const state =
    after.disabled === before.disabled
      ? {}
      : after.disabled
        ? { disabledAt: now, epoch: () => 'epoch + 1' }
        : { disabledAt: null };
  const changed = { ...scope, ...state };
  return Object.keys(changed).length > 0 ? changed : undefined;
}
