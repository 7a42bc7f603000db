import { Injectable } from '@nestjs/common';
import { OPERATOR } from '../request-origin.js';
import { DEMO_USER } from './demo-identity.js';
import { UsersService } from './users.service.js';

@Injectable()
export class DemoUser {
  constructor(private readonly users: UsersService) {}

  /** Idempotent. It changes nothing about a demo user who is there already, such as a new password or a disabling. */
  async seed(): Promise<void> {
    if (await this.users.exists(DEMO_USER.user)) return;
    await this.users.addUnchecked(DEMO_USER.user, DEMO_USER.password, [DEMO_USER.scope], OPERATOR);
  }
}
