import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { WireError } from '../../http/errors/wire-error.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import { Actors } from '../audit/actor.js';
import { Cursors } from '../lists/cursors.js';
import { type List, type PageQuery } from '../lists/list.schemas.js';
import { ApiUuid, UuidPipe } from '../path-id.js';
import { newUserRefusal } from '../users/new-user-refusal.js';
import { UserChanges } from '../users/user-changes.js';
import { UsersService } from '../users/users.service.js';
import { UsersDirectory } from '../users/users-directory.js';
import * as schemas from './admin-users.schemas.js';
import { ForAdmins, found, requestedScope } from './for-admins.js';
import type { User } from '../users/user.entity.js';

/** The people who log in, for operators. Nobody's password can be read or set here. */
@Controller('admin/users')
@ForAdmins()
export class AdminUsersController {
  constructor(
    private readonly directory: UsersDirectory,
    private readonly users: UsersService,
    private readonly changes: UserChanges,
    private readonly actors: Actors,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'All users, by name',
    description: 'With what each was granted beside `keks:account`, which everybody has. Never a password.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.userList, 'One page of them.')
  @ApiErrors('invalid_request')
  async list(
    @Query({ schema: schemas.userQuery }) { name, ...query }: schemas.UserQuery,
  ): Promise<List<schemas.UserItem>> {
    if (name !== undefined) return this.named(name, query);
    const read = this.directory.page.bind(this.directory);
    return this.cursors.page(['admin/users'], query, read, itemOf);
  }

  @Post()
  @ApiOperation({
    summary: 'Adds a user',
    description:
      'The password is held against the policy: 15 characters at least, and none that is tried early.',
    tags: ['admin'],
  })
  @ApiAnswer(201, schemas.userItem, 'The user.')
  @ApiErrors('invalid_request', 'invalid_scope', 'weak_password', 'name_taken')
  async add(
    @Body({ schema: schemas.newUser }) { name, password, scope = '' }: schemas.NewUser,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.UserItem> {
    const wanted = requestedScope(scope);
    const { actor, origin } = await this.actors.of(caller);
    const result = await this.users.add(name, password, wanted, origin, actor);
    if ('flaw' in result) throw newUserRefusal(result.flaw);
    const { id, name: shown, scope: granted, disabled, createdAt } = result.added;
    return { id, name: shown, scope: granted, disabled, created_at: createdAt.toISOString() };
  }

  @Get(':id')
  @ApiUuid('id', 'The id of the user.')
  @ApiOperation({
    summary: 'One user',
    description: "By the id that is `sub` in this user's tokens.",
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.userItem, 'The user.')
  @ApiErrors('not_found')
  async show(@Param('id', UuidPipe) id: string): Promise<schemas.UserItem> {
    return itemOf(found(await this.directory.find(id)));
  }

  @Patch(':id')
  @ApiUuid('id', 'The id of the user.')
  @ApiOperation({
    summary: 'Disables or enables a user, or changes what the user may do',
    description:
      'Disabling kills all logins and keys in the same transaction, and enabling gives none back. What is not named stays as it is.',
    tags: ['admin'],
  })
  @ApiAnswer(200, schemas.userItem, 'The user as it is now. What had to die is dead.')
  @ApiErrors('invalid_request', 'invalid_scope', 'not_found')
  async change(
    @Param('id', UuidPipe) id: string,
    @Body({ schema: schemas.userChange }) { scope, disabled }: schemas.UserChangeRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.UserItem> {
    const wanted = scope === undefined ? undefined : requestedScope(scope).join(' ');
    const by = await this.actors.of(caller);
    return itemOf(found(await this.changes.change(id, { scope: wanted, disabled }, by)));
  }

  @Post(':id/revoke')
  @HttpCode(204)
  @ApiUuid('id', 'The id of the user.')
  @ApiOperation({
    summary: "Ends all of a user's logins and keys",
    description:
      'They are dead when this is answered. To keep the user from logging in again, disable the user.',
    tags: ['admin'],
  })
  @ApiAnswer(204, undefined, 'Every token of the user is dead; the user may log in again.')
  @ApiErrors('not_found')
  async revoke(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<void> {
    const by = await this.actors.of(caller);
    if (!(await this.changes.revokeAll(id, by))) throw new WireError('not_found');
  }

  /** Nobody or one. */
  private async named(name: string, { cursor }: PageQuery): Promise<List<schemas.UserItem>> {
    if (cursor !== undefined) throw WireError.because('unwanted', 'cursor');
    const user = await this.directory.findByName(name);
    return { items: user ? [itemOf(user)] : [], next: null };
  }
}

function itemOf({ id, name, scope, disabledAt, createdAt }: User): schemas.UserItem {
  return { id, name, scope, disabled: disabledAt !== null, created_at: createdAt.toISOString() };
}
