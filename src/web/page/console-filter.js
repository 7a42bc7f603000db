/** A form that says what a list is to show. */
import { button, element } from './console-elements.js';

/**
 * @param fields pairs of name and labelled control
 * @param question what is asked for already
 * @param search is called with what was typed, without what is empty
 */
export function filter(fields, question, search) {
  const form = element(
    'form',
    { class: 'filter', method: 'dialog', role: 'search' },
    ...fields,
    element(
      'div',
      { class: 'buttons' },
      element('button', { type: 'submit' }, 'Search'),
      button('Show all', () => {
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
