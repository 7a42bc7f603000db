/** API keys: made, copied once, revoked. */
import { ask, Mistake } from './console-dialog.js';
import { button, element, field, input, paragraph, select, whosePassword } from './console-elements.js';
import { item, pagedList, pageOf } from './console-list.js';
import { call, current } from './console-login.js';
import { moment } from './console-moment.js';
import { chosenScope, scopeChoice, scopesForKeys, shownScope } from './console-scope.js';
import { reveal } from './console-secret.js';

const DAY = 86_400;
const LIFETIMES = [
  [30 * DAY, '30 days'],
  [90 * DAY, '90 days'],
  [365 * DAY, 'a year'],
  [3_650 * DAY, 'ten years'],
];

export function openKeys({ body, say }) {
  const list = pagedList({
    read: (cursor) => call('GET', pageOf('keys', {}, cursor)),
    draw: (key) => drawKey(key, say, list),
    empty:
      'No keys yet. A script or a service gets one of its own, so that you can take back one without the others: press “New key”.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'For scripts and services that act in your name. A key is sent like a token: `Authorization: Bearer kak_…`',
      ),
      button('New key', () => void makeKey(list), 'primary'),
    ),
    list.node,
  );
  void list.load();
}

function drawKey(key, say, list) {
  return item({
    title: key.label,
    facts: [
      ['May', shownScope(key.scope)],
      ['Made', moment(key.created_at)],
      ['Last used', moment(key.last_used_at, 'not yet')],
      ['Ends', moment(key.expires_at)],
    ],
    actions: [button('Revoke', () => void revokeKey(key, say, list), 'danger')],
  });
}

async function makeKey(list) {
  const { user, scope: granted } = current();
  const scopes = scopesForKeys(granted);
  const lifetime = select('lifetime', LIFETIMES);
  lifetime.value = String(90 * DAY);
  const made = await ask({
    title: 'New key',
    sentences: [
      'It acts in your name, with what you choose here. It cannot sign in, make other keys or administer.',
    ],
    fields: [
      field(
        'Name',
        input('label', { required: true, maxlength: '100' }),
        'Who will use it, as in “night baker”.',
      ),
      scopeChoice('What it may do', scopes),
      field('Lives for', lifetime),
      whosePassword(user),
      field(
        'Your password',
        input('password', { type: 'password', required: true, autocomplete: 'current-password' }),
        'A key outlives this session, so an open window is not enough to make one.',
      ),
    ],
    action: 'Make the key',
    known: {
      invalid_scope: 'You may not do all of that any more. Sign in again to see what you may do.',
      'invalid_request.label': 'Give it a name of 1 to 100 characters, without line breaks.',
      invalid_credentials: 'The password is wrong.',
    },
    work: async ({ label, lifetime, password }) => {
      const scope = chosenScope(label.form);
      if (scopes.length > 0 && !scope) throw new Mistake('Choose something that the key may do.');
      const wanted = {
        label: label.value,
        password: password.value,
        expires_in: Number(lifetime.value),
        ...(scope && { scope }),
      };
      return call('POST', 'keys', wanted).catch((refusal) => {
        if (refusal.code === 'invalid_credentials') {
          password.value = '';
          password.focus();
        }
        throw refusal;
      });
    },
  });
  if (!made) return;
  const { label, key } = made;
  void list.load();
  await reveal({
    title: `The key “${label}”`,
    sentence:
      'Copy it now: it is shown this once. Keks itself keeps only a digest of it, and nobody can show it to you again.',
    parts: [['Key', key]],
  });
}

async function revokeKey({ id, label }, say, list) {
  const revoked = await ask({
    title: `Revoke “${label}”?`,
    sentences: ['Whatever uses the key is refused from then on, everywhere. This cannot be undone.'],
    action: 'Revoke the key',
    danger: true,
    work: () =>
      call('DELETE', `keys/${id}`).catch((refusal) => {
        if (refusal.status !== 404) throw refusal;
      }),
  });
  if (!revoked) return;
  say(`The key “${label}” is dead.`);
  await list.load();
}
