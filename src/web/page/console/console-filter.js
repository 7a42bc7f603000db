/** A form that says what a list is to show. */
import { button, element } from './console-elements.js';

/**
 * @param fields pairs of name and labelled control
 * @param question what is asked for already
 * @param search is called with what was typed, without what is empty
 * @param labels of its two buttons
 */
export function filter(fields, question, search, labels = ['Search', 'Show all']) {
  const form = element(
    'form',
    { class: 'filter', method: 'dialog', role: 'search' },
    ...fields,
    element(
      'div',
      { class: 'buttons' },
      element('button', { type: 'submit' }, labels[0]),
      button(labels[1], () => {
        for (const control of controls(form)) control.value = '';
        search({});
      }),
    ),
  );
  for (const control of controls(form)) control.value = question[control.name] ?? '';
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    search(typed(form));
  });
  return form;
}

function typed(form) {
  const pairs = controls(form).map((control) => [control.name, control.value.trim()]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''));
}

function controls(form) {
  return [...form.querySelectorAll('input, select')];
}
