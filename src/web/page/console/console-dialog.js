/** Asks before something is done, and shows what became of it. */
import { button, element, paragraph } from './console-elements.js';
import { Refusal } from './console-api.js';
import { sentenceOf } from './console-trouble.js';

/** Something that was typed and will not do: the message says why. */
export class Mistake extends Error {}

/**
 * @param work does it with what was typed; a `Mistake` or a refusal that it throws is shown, and the dialog stays
 * @param known what codes of a refusal mean here
 * @returns what `work` returned, once the dialog is gone; undefined if it was cancelled
 */
export function ask({ title, sentences = [], fields = [], action, danger = false, known, work }) {
  // what was pressed twice, before the first one stood there
  if (document.querySelector('dialog[open]')) return Promise.resolve(undefined);
  const alert = element('p', { class: 'alert', role: 'alert' });
  const go = element('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, action);
  const cancel = button('Cancel', () => busy || dialog.close());
  // what cannot be undone is not done by the Enter that opened the dialog
  cancel.autofocus = danger;
  const form = element(
    'form',
    { class: 'fields', method: 'dialog' },
    element('h2', { id: 'dialog-title' }, title),
    ...sentences.map((sentence) => paragraph(sentence)),
    ...fields,
    alert,
    element('div', { class: 'buttons' }, go, cancel),
  );
  const dialog = element('dialog', { 'aria-labelledby': 'dialog-title' }, form);
  let busy = false;
  let done = Promise.resolve();
  const attempt = async () => {
    busy = true;
    go.setAttribute('aria-disabled', 'true');
    alert.textContent = '';
    try {
      return (await work(form.elements, (progress) => (alert.textContent = progress))) ?? true;
    } catch (error) {
      if (!(error instanceof Mistake || error instanceof Refusal)) throw error;
      alert.textContent = error instanceof Mistake ? error.message : sentenceOf(error, known);
      return undefined;
    } finally {
      busy = false;
      go.removeAttribute('aria-disabled');
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (busy) return;
    done = attempt();
    void done.then((result) => result !== undefined && dialog.close());
  });
  dialog.addEventListener('cancel', (event) => {
    if (busy) event.preventDefault();
  });
  // a browser may close it all the same: what is being done is waited for
  return open(dialog).then(() => done);
}

/**
 * Shows it until it is closed, and leaves nothing of it behind.
 * @param mayClose what is closed against that is opened again: browsers let people close any dialog
 */
export function open(dialog, mayClose = () => true) {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      if (!mayClose()) return dialog.showModal();
      dialog.remove();
      return resolve();
    });
  });
}

/** All but those that show a secret, which nobody could ever see again. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog:not(.secret)')) dialog.close();
}
