import { WireError } from '../../http/errors/wire-error.js';
import type { PasswordFlaw } from './password-policy.js';
import type { AddUser } from './users.service.js';

type NewUserFlaw = Extract<AddUser, { readonly flaw: unknown }>['flaw'];

/** @param parameter the member that the password came in */
export function passwordRefusal(flaw: PasswordFlaw, parameter: string): WireError {
  switch (flaw) {
    case 'too_short':
    case 'too_common':
      return WireError.because(flaw, parameter);
    case 'too_long':
      return WireError.because('bad_password', parameter);
    case 'ill_formed':
      return WireError.because('ill_formed', parameter);
  }
}

/** What is wrong with a user that an operator wants to add. */
export function newUserRefusal(flaw: NewUserFlaw): WireError {
  switch (flaw) {
    case 'name_taken':
      return new WireError('name_taken');
    case 'name_invalid':
      return WireError.because('bad_user_name', 'name');
    case 'scope_invalid':
      return new WireError('invalid_scope');
    default:
      return passwordRefusal(flaw, 'password');
  }
}
