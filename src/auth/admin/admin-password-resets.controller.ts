import { Body, Controller, Header, Param, Post, UseGuards } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Guarded } from 'keks-guard/swagger';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { WireError } from '../../http/errors/wire-error.js';
import { LoginGuard } from '../account/own-account.js';
import { Actors } from '../audit/actor.js';
import { CurrentCaller, type Caller } from '../current-caller.js';
import { ApiUuid, UuidPipe } from '../path-id.js';
import { ACCOUNT_SCOPE, ADMIN_SCOPE } from '../scope.js';
import { PasswordLogin } from '../users/password-login.js';
import { PasswordResets } from '../users/password-resets.js';
import * as schemas from './admin-users.schemas.js';

/** Links for people who cannot log in any more. A person makes them and proves who that is; no program, and nobody for themselves. */
@Controller('admin/users')
@Guarded(ADMIN_SCOPE, ACCOUNT_SCOPE)
@UseGuards(LoginGuard)
export class AdminPasswordResetsController {
  constructor(
    private readonly resets: PasswordResets,
    private readonly login: PasswordLogin,
    private readonly actors: Actors,
  ) {}

  @Post(':id/password-reset')
  @Header('Pragma', 'no-cache')
  @ApiUuid('id', 'The id of the user.')
  @ApiOperation({
    summary: 'A link by which a user chooses a new password',
    description:
      'It works once, for an hour unless the operator decided otherwise. Until it is used nothing changes; then the logins, keys and consents of before end. Your own password is asked for again, and counted as at `POST /issue`. Only a login can ask, not a client, and not for itself.',
    tags: ['admin'],
  })
  @ApiAnswer(201, schemas.resetAnswer, 'The link. Nobody can show it to you again.')
  @ApiErrors('invalid_request', 'invalid_credentials', 'not_found', 'too_many_requests')
  async offer(
    @Param('id', UuidPipe) id: string,
    @Body({ schema: schemas.resetRequest }) { password }: schemas.ResetRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<schemas.ResetAnswer> {
    const { principal, origin } = caller;
    if (principal.subject === id) throw WireError.because('own_password');
    await this.login.verifyAgain(principal.subject, password, origin);
    const made = await this.resets.offer(id, await this.actors.of(caller));
    if (made === 'unknown') throw new WireError('not_found');
    if (made === 'disabled') throw WireError.because('user_disabled');
    return { link: made.link, expires_at: made.expiresAt.toISOString() };
  }
}
