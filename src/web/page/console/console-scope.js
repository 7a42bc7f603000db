/** Scopes: shown, and chosen. */
import { Refusal } from './console-api.js';
import { Mistake } from './console-dialog.js';
import { checkbox, element, field, input, paragraph } from './console-elements.js';
import { call } from './console-login.js';

export const BAD_SCOPE =
  'One of these scopes no client can have: keks:account and offline_access belong to people.';

/** @returns each scope as a piece of code */
export function shownScope(scope) {
  if (!scope) return 'none';
  return element('span', { class: 'scopes' }, ...scope.split(' ').map((one) => element('code', {}, one)));
}

/** @returns those that a key can have: nothing of the authority's own */
export function scopesForKeys(scopes) {
  return scopes.filter((scope) => !/^(?:keks|keys):/.test(scope));
}

/** Boxes for a choice among `scopes`, all checked. */
export function scopeChoice(legend, scopes) {
  return element(
    'fieldset',
    {},
    element('legend', {}, legend),
    ...scopes.map((scope) => checkbox('scope', element('code', {}, scope), { value: scope, checked: true })),
    scopes.length === 0
      ? paragraph(
          'You have not been granted any scope that a key can have, so a key of yours opens nothing that asks for one.',
          'small',
        )
      : undefined,
  );
}

/** @returns those that are checked, separated by blanks */
export function chosenScope(form) {
  return [...form.querySelectorAll('input[name="scope"]:checked')].map((box) => box.value).join(' ');
}

/** @returns those that exist, with what they mean; none if nobody says it, for they can be typed all the same */
export async function knownScopes() {
  try {
    return (await call('GET', 'admin/scopes?all=true')).items;
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    return [];
  }
}

/**
 * Any scope, chosen or typed by an administrator.
 * @param known as `knownScopes` tells them
 * @param scope what is chosen at first
 * @returns its element, and `value`, which throws a Mistake
 */
export function scopePicker(known, scope, hint, legend = 'Scope') {
  const has = scope.split(' ').filter(Boolean);
  const names = known.map((one) => one.scope);
  const others = input('others', {
    value: has.filter((one) => !names.includes(one)).join(' '),
    placeholder: 'cookies:eat cookies:bake',
  });
  const node = element(
    'fieldset',
    { class: 'picker' },
    element('legend', {}, legend),
    hint ? paragraph(hint, 'small') : undefined,
    known.length === 0
      ? undefined
      : element(
          'div',
          { class: 'choices' },
          ...known.map((one) =>
            checkbox('scope', wordsOf(one), { value: one.scope, checked: has.includes(one.scope) }),
          ),
        ),
    field(known.length === 0 ? 'Scopes, separated by blanks' : 'Others, separated by blanks', others),
  );
  const value = () =>
    [...new Set([...chosenScope(node).split(' '), ...typedScope(others)])].filter(Boolean).join(' ');
  return { node, value };
}

function wordsOf({ scope, description }) {
  const words = description === null ? '' : ` ${description}`;
  return element('span', {}, element('code', {}, scope), words);
}

/**
 * `cookies:eat, tea` would be a scope with a comma at its end, which the standard allows and no route asks for.
 * @throws Mistake
 */
function typedScope(control) {
  const scopes = control.value.trim().split(/\s+/);
  const odd = scopes.find((scope) => scope.includes(','));
  if (odd !== undefined)
    throw new Mistake(`Scopes are separated by blanks, without commas: “${odd}” has one.`);
  return scopes;
}
