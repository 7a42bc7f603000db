import { ACCOUNT_SCOPE, OFFLINE_ACCESS } from '../../auth/scope.js';
import { PASSWORD_FLAWS, type PasswordFlaw } from '../../auth/users/password-policy.js';
import { Refusal } from '../refusal.js';

export type UserFlaw =
  PasswordFlaw | 'name_invalid' | 'name_taken' | 'scope_malformed' | 'scope_invalid' | 'unknown';

const NAME = { parameter: 'name' };
const SCOPE = { parameter: 'scope' };

/** @param name as typed. It may hold anything, so it is repeated only if it proved to be a name. */
export function userRefusal(flaw: UserFlaw, name: string): Refusal {
  switch (flaw) {
    case 'unknown':
      return new Refusal('not_found', 'There is no user of this name: see "keks user list".');
    case 'name_taken':
      return new Refusal(
        'name_taken',
        `There is a user ${name} already (upper and lower case are the same).`,
        NAME,
      );
    case 'name_invalid':
      return new Refusal(
        'invalid_request',
        'A name has 1 to 128 characters, no control characters, no joiners but where a script wants them, and no space at either end.',
        NAME,
      );
    case 'scope_malformed':
      return new Refusal(
        'invalid_scope',
        'The scope is malformed: printable ASCII words without quotes and backslashes, with one space between them.',
        SCOPE,
      );
    case 'scope_invalid':
      return new Refusal(
        'invalid_scope',
        `${ACCOUNT_SCOPE} and ${OFFLINE_ACCESS} cannot be given: every user has the first, and the second is asked for at login.`,
        SCOPE,
      );
    case 'too_short':
    case 'too_common':
      return new Refusal('weak_password', PASSWORD_FLAWS[flaw], { parameter: 'password' });
    default:
      return new Refusal('invalid_request', PASSWORD_FLAWS[flaw], { parameter: 'password' });
  }
}
