/** Shows what is never shown again. */
import { open } from './console-dialog.js';
import { button, element, paragraph } from './console-elements.js';

/**
 * @param parts pairs of label and value; only the last one is secret
 * @returns when it has been put away
 */
export function reveal({ title, sentence, parts }) {
  const status = element('p', { class: 'alert', role: 'status' });
  let copied = false;
  let putAway = false;
  const done = button('Done', () => {
    putAway = true;
    dialog.close();
  });
  const copy = async (value) => {
    copied ||= value === parts.at(-1)[1];
    status.textContent = await copyText(value, dialog);
    done.classList.toggle('primary', copied);
  };
  const dialog = element(
    'dialog',
    { class: 'secret', 'aria-labelledby': 'dialog-title' },
    element('h2', { id: 'dialog-title' }, title),
    paragraph(sentence),
    ...parts.map(([label, value]) =>
      element(
        'div',
        { class: 'part' },
        element('p', { class: 'label' }, label),
        element('code', {}, value),
        button(`Copy the ${label.toLowerCase()}`, () => void copy(value), 'primary'),
      ),
    ),
    status,
    element('div', { class: 'buttons' }, done),
  );
  dialog.addEventListener('cancel', (event) => {
    if (copied) return;
    event.preventDefault();
    status.textContent =
      'Copy it first: when this is closed, nobody can show it to you again. Or press Done.';
  });
  const stay = (event) => {
    if (!copied) event.preventDefault();
  };
  addEventListener('beforeunload', stay);
  return open(dialog, () => copied || putAway).then(() => removeEventListener('beforeunload', stay));
}

/** Browsers lend the clipboard to pages from HTTPS or from this machine only. */
async function copyText(value, dialog) {
  try {
    await navigator.clipboard.writeText(value);
    return 'Copied. Put it where only its user can read it.';
  } catch {
    const code = [...dialog.querySelectorAll('code')].find((one) => one.textContent === value);
    getSelection().selectAllChildren(code);
    return 'This browser does not let the page copy. It is selected: copy it with the keyboard.';
  }
}
