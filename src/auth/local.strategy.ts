import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import type { IssueRequest } from './auth.schemas.js';
import { originOf, type HttpRequest } from './request-origin.js';
import { PasswordLogin, type VerifiedUser } from './users/password-login.js';

interface LoginHttpRequest extends HttpRequest {
  readonly body: Pick<IssueRequest, 'device'>;
}

/** The passport strategy: verifies user and password from the body. `LocalGuard` has checked their shape. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly login: PasswordLogin) {
    super({ usernameField: 'user', passwordField: 'password', passReqToCallback: true });
  }

  async validate(request: LoginHttpRequest, name: string, password: string): Promise<VerifiedUser | false> {
    return (await this.login.verify(name, password, originOf(request), request.body.device)) ?? false;
  }
}
