/** The APIs that a client may ask tokens for, each with the scopes that such tokens may carry. */
import { Mistake } from './console-dialog.js';
import { button, element, field, input, paragraph } from './console-elements.js';
import { scopePicker } from './console-scope.js';

/**
 * @param known scopes, as `knownScopes` tells them
 * @param resources as the wire has them: the address of an API, and after it the scopes
 * @returns its element, and `value`, which throws a Mistake
 */
export function resourcesPicker(known, resources) {
  const rows = [];
  const list = element('div', { class: 'rows' });
  const add = (text) => {
    const row = rowOf(known, text, () => {
      rows.splice(rows.indexOf(row), 1);
      row.node.remove();
      more.focus();
    });
    rows.push(row);
    list.append(row.node);
    return row;
  };
  const more = button('Add an API', () => add('').focus());
  for (const text of resources) add(text);
  const node = element(
    'fieldset',
    { class: 'picker' },
    element('legend', {}, 'Gets tokens for'),
    paragraph(
      'Other APIs that it may ask tokens for, with “resource”, and the scopes that such tokens may carry. Its own address need not be here.',
      'small',
    ),
    list,
    more,
  );
  return { node, value: () => rows.map((row) => row.value()).filter(Boolean) };
}

function rowOf(known, text, remove) {
  const [at = '', ...scopes] = text.split(' ');
  const address = input('resource', { value: at, placeholder: 'https://oven.example' });
  const picker = scopePicker(
    known,
    scopes.join(' '),
    'None chosen: all that the client may.',
    'Scopes of tokens for it',
  );
  const node = element(
    'div',
    { class: 'row' },
    field('Address of the API', address),
    picker.node,
    button('Remove this API', remove, 'danger'),
  );
  const value = () => {
    const typed = address.value.trim();
    if (/\s/.test(typed)) throw new Mistake('An API has one address; its scopes are chosen below it.');
    return typed && [typed, picker.value()].filter(Boolean).join(' ');
  };
  return { node, value, focus: () => address.focus() };
}
