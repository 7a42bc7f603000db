import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import { UsersService, type VerifiedUser } from './users.service.js';

/** passport's credential side: the user and the password of the body. `LocalGuard` has checked their shape. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly users: UsersService) {
    super({ usernameField: 'user', passwordField: 'password' });
  }

  async validate(name: string, password: string): Promise<VerifiedUser | false> {
    const user = await this.users.verify(name, password);
    return user ? this.users.rehashIfOutdated(user, password) : false;
  }
}
