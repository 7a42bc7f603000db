import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { OPERATOR } from '../request-origin.js';
import { ADMIN_SCOPE } from '../scope.js';
import { DEMO_USER } from './demo-identity.js';
import { generatePassword } from './generated-password.js';
import { UsersDirectory } from './users-directory.js';
import { UsersService } from './users.service.js';

const NAME = 'admin';

/** The administrator who has just been made. Only here is this password in clear text. */
export interface NewAdministrator {
  readonly user: string;
  readonly password: string;
}

/** For people who try Keks out and have only the demo user. */
@Injectable()
export class FirstAdministrator {
  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'PASSWORD_MIN_LENGTH'>,
    private readonly directory: UsersDirectory,
    private readonly users: UsersService,
  ) {}

  /** Whether somebody has been added besides the demo user. */
  async isMissing(): Promise<boolean> {
    const [first, second] = await this.directory.page(undefined, 2);
    return second === undefined && (first === undefined || first.name === DEMO_USER.user);
  }

  /** @returns undefined if no administrator was made */
  async make(): Promise<NewAdministrator | undefined> {
    const password = generatePassword(this.config.PASSWORD_MIN_LENGTH);
    const made = await this.users.add(NAME, password, [ADMIN_SCOPE], OPERATOR);
    return 'added' in made ? { user: made.added.name, password } : undefined;
  }
}
