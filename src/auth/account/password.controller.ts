import { Body, Controller, HttpCode, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { CurrentPrincipal } from 'keks-guard';
import type { GrantedPrincipal } from 'keks-guard/internals';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { CurrentOrigin } from '../current-caller.js';
import type { RequestOrigin } from '../request-origin.js';
import { OwnAccount } from './own-account.js';
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
    description:
      'The login that asks goes on; the others end, and so do your API keys: whoever knew the old password may have made one. `"keys": false` keeps them.',
    tags: ['account'],
  })
  @ApiAnswer(
    204,
    undefined,
    'It is changed. Your other logins are over, and your API keys unless you kept them.',
  )
  @ApiErrors('invalid_request', 'weak_password', 'invalid_credentials', 'too_many_requests')
  async change(
    @Body({ schema: passwordRequest }) body: PasswordRequest,
    @CurrentPrincipal() { subject, grantId }: GrantedPrincipal,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<void> {
    const { old_password: oldPassword, new_password: newPassword, keys = true } = body;
    const by = { userId: subject, loginId: grantId };
    await this.passwords.change(by, { oldPassword, newPassword, keys }, origin);
  }
}
