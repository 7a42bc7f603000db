import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import type { Statement } from '../../database/statement.js';
import type { Caller } from '../current-caller.js';
import type { RequestOrigin } from '../request-origin.js';

/**
 * Who does something, and from where, for the audit log. `actor` is `holder`, `client:ID`, `user:NAME`, `operator`, or `keks`
 * for the authority itself.
 */
export interface Initiator {
  readonly actor: string;
  readonly origin: RequestOrigin;
}

/** By hand: the entity of users is in a folder above this one. */
const NAME_OF_USER: Statement = { name: 'name_of_user', text: 'SELECT name FROM users WHERE id = $1' };

/** How the audit log calls the bearer of a token: `user:NAME` or `client:ID`. */
@Injectable()
export class Actors {
  constructor(private readonly database: Database) {}

  async of({ principal, origin }: Caller): Promise<Initiator> {
    const { grantKind, subject, clientId } = principal;
    if (grantKind === 'client') return { actor: `client:${clientId}`, origin };
    const [row] = await this.database.run<{ name: string }>(NAME_OF_USER, [subject]);
    return { actor: `user:${row?.name ?? subject}`, origin };
  }
}
