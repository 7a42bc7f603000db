/** Makes elements. Text becomes text: nothing here, or anywhere in the console, is ever parsed as markup. */

/** @param attributes functions are listeners; what is undefined or false is left out */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key, value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

export function button(label, press, kind) {
  return element('button', { type: 'button', class: kind, click: press }, label);
}

/** Code stands between `backticks` in the text. */
export function paragraph(text, kind) {
  const pieces = text.split('`').map((piece, at) => (at % 2 ? element('code', {}, piece) : piece));
  return element('p', { class: kind }, ...pieces);
}

/** A labelled control. @param hint what to type, or why */
export function field(label, control, hint) {
  return hinted(element('label', {}, label, control), control, hint);
}

export function input(name, attributes = {}) {
  return element('input', {
    name,
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    ...attributes,
  });
}

/** @param options pairs of value and text; `value` among the attributes is the one that is chosen */
export function select(name, options, { value: chosen, ...attributes } = {}) {
  const made = options.map(([value, text]) => element('option', { value, selected: value === chosen }, text));
  return element('select', { name, ...attributes }, ...made);
}

/** @param hint what comes of it */
export function checkbox(name, label, attributes = {}, hint = undefined) {
  const control = element('input', { type: 'checkbox', name, ...attributes });
  return hinted(element('label', { class: 'check' }, control, element('span', {}, label)), control, hint);
}

function hinted(label, control, hint) {
  if (!hint) return label;
  const id = `hint-${control.name}`;
  control.setAttribute('aria-describedby', id);
  const said = paragraph(hint, 'small');
  said.id = id;
  return element('div', { class: 'field' }, label, said);
}

/** For forms with a password: tells password managers whose it is. */
export function whosePassword(user) {
  return element('input', { name: 'username', autocomplete: 'username', value: user, hidden: true });
}

/** What went wrong where something should stand, and the way on. */
export function notice({ title, text }, again) {
  return element(
    'div',
    { class: 'notice', role: 'alert' },
    element('h2', { tabindex: '-1' }, title),
    paragraph(text),
    again && button('Try again', again),
  );
}
