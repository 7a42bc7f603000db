import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import type { Position } from '../cursor.js';
import { userName } from './user-name.js';
import * as sql from './users.sql.js';

/** Before the first name: none is empty. */
const FIRST: Position = [''];

/** Owns the looking up of users; changes nothing. */
@Injectable()
export class UsersDirectory {
  constructor(private readonly database: Database) {}

  /** By name. */
  page(after: Position = FIRST, count: number): Promise<sql.ListedUserRow[]> {
    return this.database.run(sql.LIST_PAGE, [...after, count]);
  }

  async find(id: string): Promise<sql.UserRow | undefined> {
    const [row] = await this.database.run<sql.UserRow>(sql.FIND_BY_ID, [id]);
    return row;
  }

  async findByName(name: string): Promise<sql.UserRow | undefined> {
    const [row] = await this.database.run<sql.UserRow>(sql.FIND_BY_NAME, [userName(name)?.folded ?? '']);
    return row;
  }
}
