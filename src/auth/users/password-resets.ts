import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { Initiator } from '../audit/actor.js';
import { audit } from '../audit/audit-event.js';
import { nameOfCode, ResetCodes } from './reset-codes.js';
import { UsersDirectory } from './users-directory.js';

/** The only place where a code is in clear text. */
export interface ResetLink {
  readonly user: string;
  readonly link: string;
  readonly expiresAt: Date;
}

/** Where people choose a new password. The code stands behind `#`, which no browser sends to a server: no log has it. */
const PAGE = '/password-reset#';

/** Owns the making of links by which somebody chooses a new password; never learns that password. */
@Injectable()
export class PasswordResets {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Pick<Config, 'ISSUER' | 'PASSWORD_RESET_TTL'>,
    private readonly directory: UsersDirectory,
    private readonly codes: ResetCodes,
  ) {}

  /** Nothing of the user changes before the link is used. @throws Unavailable */
  async offer(id: string, by: Initiator): Promise<ResetLink | 'unknown' | 'disabled'> {
    const user = await this.directory.findWithState(id);
    if (!user) return 'unknown';
    if (user.disabledAt) return 'disabled';
    const seconds = this.clock.seconds() + this.config.PASSWORD_RESET_TTL;
    const code = this.codes.make(user, seconds);
    const expiresAt = new Date(seconds * 1_000);
    const detail = { user: user.name, link: nameOfCode(code), expires_at: expiresAt.toISOString() };
    const event = { type: 'user.reset_link_made', ...by, detail };
    await audit(this.database, this.clock, event);
    return { user: user.name, link: this.config.ISSUER + PAGE + code, expiresAt };
  }
}
