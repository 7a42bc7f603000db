/** Lists: page by page, with what to do when there is nothing or no answer. */
import { Refusal } from './console-api.js';
import { button, element, notice, paragraph } from './console-elements.js';
import { problemOf } from './console-trouble.js';

/** So many pages without anything on them are passed over, as a search in a long log may bring them. */
const EMPTY_PAGES = 5;

/**
 * @param read the page behind a cursor, the first one without: `{ items, next }`
 * @param draw an item -> its element
 * @param empty what to say, and do, when there is nothing
 * @returns its element, and `load` which begins anew
 */
export function pagedList({ read, draw, empty }) {
  const items = element('ul', { class: 'items' });
  const end = element('div', { class: 'end' });
  const node = element('div', {}, items, end);
  let round = 0;

  async function load() {
    const own = (round += 1);
    end.replaceChildren(paragraph('Loading …', 'small'));
    await extend(own, undefined, true);
  }

  async function extend(own, cursor, fresh) {
    try {
      const page = await readOn(cursor);
      if (own === round) show(own, page, fresh);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (own !== round) return;
      if (fresh) items.replaceChildren();
      end.replaceChildren(
        notice(problemOf(refusal), () => void (fresh ? load() : extend(own, cursor, false))),
      );
    }
  }

  async function readOn(cursor) {
    let page = await read(cursor);
    for (let passed = 1; passed < EMPTY_PAGES && page.items.length === 0 && page.next; passed += 1)
      page = await read(page.next);
    return page;
  }

  function show(own, page, fresh) {
    const focused = node.contains(document.activeElement);
    const drawn = page.items.map(draw);
    if (fresh) items.replaceChildren(...drawn);
    else items.append(...drawn);
    end.replaceChildren(...ending(own, page.next));
    if (!focused) return;
    if (fresh) document.getElementById('title').focus({ preventScroll: true });
    else (drawn[0] ?? end).querySelector('button, a, h2')?.focus({ preventScroll: true });
  }

  function ending(own, next) {
    const nothing = items.children.length === 0;
    if (next)
      return [
        ...(nothing ? [paragraph('Nothing so far, and there is more to look through.', 'small')] : []),
        button(nothing ? 'Look further back' : 'Show more', () => void extend(own, next, false)),
      ];
    return nothing ? [paragraph(empty, 'empty')] : [];
  }

  return { node, load };
}

/**
 * @param facts pairs of label and value (a text or an element)
 * @param badges pairs of text and kind
 */
export function item({ title, badges = [], facts, actions = [] }) {
  return element(
    'li',
    { class: 'item' },
    element(
      'h2',
      { tabindex: '-1' },
      title,
      ...badges.map(([text, kind]) => element('span', { class: `badge ${kind ?? ''}`.trim() }, text)),
    ),
    element(
      'dl',
      {},
      ...facts.map(([label, value]) =>
        element('div', {}, element('dt', {}, label), element('dd', {}, ...[value].flat())),
      ),
    ),
    actions.length > 0 ? element('div', { class: 'actions' }, ...actions) : undefined,
  );
}

/** Path and query of a page; what is empty is not asked for. */
export function pageOf(path, question, cursor) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...question, cursor })) if (value) query.set(name, value);
  return query.size === 0 ? path : `${path}?${query}`;
}
