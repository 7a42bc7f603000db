/** A new password, for whoever knows the old one. */
import { Refusal } from './console-api.js';
import { checkbox, element, field, input, paragraph, whosePassword } from './console-elements.js';
import { call, current } from './console-login.js';
import { sentenceOf } from './console-trouble.js';

const KNOWN = {
  invalid_credentials: 'The old password is wrong.',
};

export function openPassword({ body, say }) {
  const password = (name, autocomplete) => input(name, { type: 'password', required: true, autocomplete });
  const alert = element('p', { class: 'alert', role: 'alert' });
  const form = element(
    'form',
    { class: 'fields card', method: 'post' },
    whosePassword(current().user),
    field('Old password', password('old', 'current-password')),
    field(
      'New password',
      password('new', 'new-password'),
      'At least 15 characters, unless your operator decided otherwise. Blanks, accents and whole sentences are fine.',
    ),
    field('New password, once more', password('again', 'new-password')),
    checkbox(
      'keys',
      'Revoke my API keys as well',
      { checked: true },
      'Whoever knew the old password may have made one. Whatever uses a key of yours is refused until you give it a new one.',
    ),
    alert,
    element('button', { type: 'submit', class: 'primary' }, 'Change the password'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    alert.textContent = '';
    void change(form, alert, say);
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Changing it ends all of your other sessions, and your API keys unless you keep them. You stay signed in here.',
      ),
    ),
    form,
  );
}

async function change(form, alert, say) {
  const { old, new: wanted, again, keys } = form.elements;
  if (wanted.value !== again.value) {
    alert.textContent = 'The new password and its repetition are not the same.';
    again.focus();
    return;
  }
  const revoked = keys.checked;
  try {
    await call('PUT', 'password', { old_password: old.value, new_password: wanted.value, keys: revoked });
    form.reset();
    say(`Your password is changed. Your other sessions ${revoked ? 'and your API keys are' : 'are'} over.`);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    alert.textContent = sentenceOf(refusal, KNOWN);
    if (refusal.code === 'invalid_credentials') old.focus();
  }
}
