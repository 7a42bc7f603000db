import { Body, Controller, HttpCode, Put, Req } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { CurrentPrincipal, type GrantedPrincipal } from '../../guard/principal.js';
import { ApiAnswer, ApiErrors } from '../../http/api-answer.js';
import { OwnAccount } from '../own-account.js';
import { originOf, type HttpRequest } from '../request-origin.js';
import { PasswordChange } from './password-change.js';
import { passwordRequest, type PasswordRequest } from './sessions.schemas.js';

/** A person's own password. Somebody else's is the operator's business. */
@Controller('password')
@OwnAccount()
export class PasswordController {
  constructor(private readonly passwords: PasswordChange) {}

  @Put()
  @HttpCode(204)
  @ApiOperation({
    summary: 'A new password, for whoever knows the old one',
    description: 'The login that asks goes on, the others end. API keys stay unless `keys` is true.',
    tags: ['account'],
  })
  @ApiAnswer(204, undefined, 'It is changed, and your other logins are over.')
  @ApiErrors('invalid_request', 'invalid_credentials', 'too_many_requests')
  async change(
    @Body({ schema: passwordRequest }) body: PasswordRequest,
    @CurrentPrincipal() { subject, grantId }: GrantedPrincipal,
    @Req() request: HttpRequest,
  ): Promise<void> {
    const { old_password: oldPassword, new_password: newPassword, keys = false } = body;
    const by = { userId: subject, loginId: grantId };
    await this.passwords.change(by, { oldPassword, newPassword, keys }, originOf(request));
  }
}
