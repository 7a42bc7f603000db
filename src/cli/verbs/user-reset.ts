import { facts, moment, type Answer } from '../answer.js';
import { Refusal } from '../refusal.js';
import { refusalOf } from './user-record.js';

/** `keks user reset` makes a link, so that only the user learns the password. */
export async function reset(nameOrId: string): Promise<Answer> {
  const [{ withServices }, { UsersService }, { PasswordResets }, { OPERATOR }] = await Promise.all([
    import('../services.js'),
    import('../../auth/users/users.service.js'),
    import('../../auth/users/password-resets.js'),
    import('../../auth/request-origin.js'),
  ]);
  const made = await withServices(async (services) => {
    const user = await services.get(UsersService).find(nameOrId);
    const by = { actor: 'operator', origin: OPERATOR };
    return user ? services.get(PasswordResets).offer(user.id, by) : 'unknown';
  });
  if (made === 'unknown') throw await refusalOf('unknown', nameOrId);
  if (made === 'disabled')
    throw new Refusal('invalid_request', 'The user is disabled: run "keks user enable" first.');
  return {
    json: { user: made.user, link: made.link, expires_at: made.expiresAt.toISOString() },
    text: facts([
      ['user', made.user],
      ['link', made.link],
      ['until', moment(made.expiresAt)],
      ['', 'It works once, and nobody can show it to you again. Give it to the user only.'],
    ]),
  };
}
