/** Scopes: shown, and chosen. */
import { Mistake } from './console-dialog.js';
import { checkbox, element, field, input, paragraph } from './console-elements.js';

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

/** Any scope, typed by an administrator. */
export function scopeField(scope, hint) {
  return field('Scope', input('scope', { value: scope, placeholder: 'cookies:eat cookies:bake' }), hint);
}

/**
 * One blank between two, as the wire wants it. `cookies:eat, tea` would be a scope with a comma at its end, which the
 * standard allows and no route asks for.
 * @throws Mistake
 */
export function typedScope(control) {
  const scopes = control.value.trim().split(/\s+/);
  const odd = scopes.find((scope) => scope.includes(','));
  if (odd !== undefined)
    throw new Mistake(`Scopes are separated by blanks, without commas: “${odd}” has one.`);
  return scopes.join(' ');
}
