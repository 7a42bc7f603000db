/** The people who log in. */
import { ask } from './console-dialog.js';
import { button, element, field, input, paragraph, whosePassword } from './console-elements.js';
import { filter } from './console-filter.js';
import { item, pagedList, pageOf } from './console-list.js';
import { call, current } from './console-login.js';
import { moment } from './console-moment.js';
import { knownScopes, scopePicker, shownScope } from './console-scope.js';
import { reveal } from './console-secret.js';

const BAD_SCOPE =
  'One of these scopes nobody can be given: keks:account everybody has, offline_access is a request, and quotes and backslashes cannot be in one.';

export function openUsers({ body, say, go, question }) {
  let asked = question;
  const list = pagedList({
    read: (cursor) => call('GET', pageOf('admin/users', asked, cursor)),
    draw: (user) => drawUser(user, { say, go, reload: () => list.load() }),
    empty: 'Nobody of this name. Names are searched for as a whole; upper and lower case are the same.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Everybody who may log in, by name. Nobody’s password can be seen here: who has forgotten it is given a link to choose a new one. Everybody has `keks:account` beside what is shown.',
      ),
      button('New user', () => void addUser(say, list), 'primary'),
    ),
    filter([field('Name', input('name', { maxlength: '128' }))], asked, (wanted) => {
      asked = wanted;
      void list.load();
    }),
    list.node,
  );
  void list.load();
}

function drawUser(user, tools) {
  const { name, scope, disabled } = user;
  return item({
    title: name,
    badges: [...(isSelf(user) ? [['you', 'good']] : []), ...(disabled ? [['disabled', 'bad']] : [])],
    facts: [
      ['May', shownScope(scope)],
      ['Added', moment(user.created_at)],
    ],
    actions: [
      button('Grants', () => tools.go('grants', { user: name })),
      button('Audit log', () => tools.go('audit', { user: name })),
      button('Change scope', () => void changeScope(user, tools)),
      ...(disabled || isSelf(user)
        ? []
        : [button('Reset password', () => void resetPassword(user), 'danger')]),
      button('End everything', () => void endAll(user, tools), 'danger'),
      disabled
        ? button('Enable', () => void enable(user, tools))
        : button('Disable', () => void disable(user, tools), 'danger'),
    ],
  });
}

async function addUser(say, list) {
  const picker = scopePicker(await knownScopes(), '', '`keks:admin` makes an administrator.');
  const added = await ask({
    title: 'New user',
    fields: [
      field(
        'Name',
        input('name', { required: true, maxlength: '128' }),
        'Nobody else’s; upper and lower case are the same.',
      ),
      field(
        'Password',
        input('password', { type: 'password', required: true, autocomplete: 'new-password' }),
        'At least 15 characters, unless your operator decided otherwise. Pass it on safely, and have it changed in this console.',
      ),
      picker.node,
    ],
    action: 'Add the user',
    known: {
      invalid_scope: BAD_SCOPE,
      name_taken: 'There is a user of this name already; upper and lower case are the same.',
      'invalid_request.name': 'The name has 1 to 128 characters, and no blank at either end.',
    },
    work: ({ name, password }) =>
      call('POST', 'admin/users', { name: name.value, password: password.value, scope: picker.value() }),
  });
  if (!added) return;
  say(`${added.name} may log in.`);
  await list.load();
}

async function changeScope(user, { say, reload }) {
  const picker = scopePicker(await knownScopes(), user.scope, '`keks:account` everybody has.');
  const changed = await ask({
    title: `What may ${user.name} do?`,
    sentences: [
      'Logins and keys that may do more than is left die at once. More is for the next login.',
      ...selfWarning(user, 'If you take keks:admin from yourself, you are signed out.'),
    ],
    fields: [picker.node],
    action: 'Change the scope',
    known: { invalid_scope: BAD_SCOPE },
    work: () => patch(user, { scope: picker.value() }),
  });
  if (!changed) return;
  say(`${user.name} may do this now: ${changed.scope || 'nothing beside keks:account'}.`);
  await reload();
}

async function resetPassword(user) {
  const made = await ask({
    title: `A new password for ${user.name}?`,
    sentences: [
      'You are shown a link. Whoever opens it chooses the password: give it to this person only, in a way that only this person can read.',
      'Until the link is used nothing changes. Then all logins and keys of before end.',
    ],
    fields: [
      whosePassword(current().user),
      field(
        'Your own password',
        input('password', { type: 'password', required: true, autocomplete: 'current-password' }),
        'A token that somebody took is not enough to open an account.',
      ),
    ],
    action: 'Make the link',
    danger: true,
    known: { invalid_credentials: 'Your password is wrong.' },
    work: ({ password }) =>
      call('POST', `admin/users/${user.id}/password-reset`, { password: password.value }),
  });
  if (!made) return;
  await reveal({
    title: `The link for ${user.name}`,
    sentence: `It works once, until ${moment(made.expires_at).textContent}. When this is closed, nobody can show it to you again.`,
    parts: [['Link', made.link]],
  });
}

async function disable(user, { say, reload }) {
  const disabled = await ask({
    title: `Disable ${user.name}?`,
    sentences: [
      'All logins and keys die at once, and nobody can log in under this name. Enabling gives nothing back.',
      ...selfWarning(user, 'You are signed out, and cannot sign in again until somebody enables you.'),
    ],
    action: 'Disable',
    danger: true,
    work: () => patch(user, { disabled: true }),
  });
  if (!disabled) return;
  say(`${user.name} is disabled.`);
  await reload();
}

async function enable(user, { say, reload }) {
  const enabled = await ask({
    title: `Enable ${user.name}?`,
    sentences: ['May log in again, with the password of before. What was revoked stays revoked.'],
    action: 'Enable',
    work: () => patch(user, { disabled: false }),
  });
  if (!enabled) return;
  say(`${user.name} may log in again.`);
  await reload();
}

async function endAll(user, { say, reload }) {
  const ended = await ask({
    title: `End all logins and keys of ${user.name}?`,
    sentences: [
      'Every token dies at once. Logging in again is possible; API keys have to be made anew.',
      ...selfWarning(user, 'You are signed out.'),
    ],
    action: 'End everything',
    danger: true,
    work: () => call('POST', `admin/users/${user.id}/revoke`),
  });
  if (!ended) return;
  say(`All logins and keys of ${user.name} are over.`);
  await reload();
}

const patch = (user, change) => call('PATCH', `admin/users/${user.id}`, change);

const selfWarning = (user, text) => (isSelf(user) ? [`This is you. ${text}`] : []);

function isSelf({ name }) {
  return name.toLowerCase() === current()?.user.toLowerCase();
}
