import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository, type EntityManager } from 'typeorm';
import type { Position, Positioned } from '../lists/cursors.js';
import { userName } from './user-name.js';
import { User } from './user.entity.js';

/** Before the first name, because no name is empty. */
const FIRST: Position = [''];

/** A user whose password is to be proved, or who gets a token without one. */
export type UserWithHash = Pick<User, 'id' | 'name' | 'scope' | 'disabledAt' | 'passwordHash'>;

/** Somebody whose password is to be replaced, as long as nothing about it changes meanwhile. */
export type UserWithState = UserWithHash & Pick<User, 'nameFolded' | 'epoch'>;

const WITH_HASH = { id: true, name: true, scope: true, disabledAt: true, passwordHash: true } as const;

/** Owns the looking up of users; changes nothing. */
@Injectable()
export class UsersDirectory {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  /** By name. */
  async page([after = '']: Position = FIRST, count: number): Promise<(User & Positioned)[]> {
    const where = { nameFolded: MoreThan(after) };
    const users = await this.users.find({ where, order: { nameFolded: 'ASC' }, take: count });
    return users.map((user) => Object.assign(user, { position: [user.nameFolded] }));
  }

  find(id: string): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  findByName(name: string): Promise<User | null> {
    return this.users.findOneBy({ nameFolded: folded(name) });
  }

  findWithState(id: string): Promise<UserWithState | null> {
    return this.users.findOne({ where: { id }, select: { ...WITH_HASH, nameFolded: true, epoch: true } });
  }

  findWithHash(name: string): Promise<UserWithHash | null> {
    return this.users.findOne({ where: { nameFolded: folded(name) }, select: WITH_HASH });
  }
}

/** Takes the lock on the user's row that issuing takes FOR SHARE. Take it before changing or ending anything of a user. */
export function lockUser(entities: EntityManager, id: string): Promise<User | null> {
  return entities.findOne(User, { where: { id }, lock: { mode: 'for_no_key_update' } });
}

/** An impossible name is looked up like any other, and not found. */
function folded(name: string): string {
  return userName(name)?.folded ?? '';
}
