/** The last day, of all instances together: what PostgreSQL keeps when this page is loaded anew. */
import { Refusal } from './console-api.js';
import { element, paragraph } from './console-elements.js';
import { call } from './console-login.js';
import { plot } from './console-plot.js';
import { sentenceOf } from './console-trouble.js';

const SHOWN = [
  ['issued', 'Issued', ''],
  ['validated', 'Validated', ''],
  ['refused', 'Refused', 'bad'],
  ['logins_refused', 'Refused logins', 'bad'],
  ['revoked', 'Revoked', ''],
  ['unanswered', 'Left without a verdict', 'bad'],
];
const COUNT = new Intl.NumberFormat('en');

/** @param left aborts when the view is left */
export function dayBoard(left) {
  const board = element('div', { class: 'board' });
  const section = element(
    'section',
    { class: 'day' },
    element('h2', {}, 'The last day'),
    paragraph(
      'All instances together, five minutes a point. Loading this page anew keeps them, and loses the two minutes above; an instance that is killed loses its last five minutes.',
      'small',
    ),
    board,
  );
  void fill(board, left);
  return section;
}

async function fill(board, left) {
  try {
    const { step, span, items } = await call('GET', 'admin/numbers/history', undefined, left);
    board.replaceChildren(...SHOWN.map((one) => card(one, { step, room: span / step, items })));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    if (!left.aborted) board.replaceChildren(paragraph(sentenceOf(refusal), 'alert'));
  }
}

function card([name, title, kind], { step, room, items }) {
  const values = seriesOf(name, { step, room, items });
  const total = items.reduce((sum, item) => sum + item[name], 0);
  const most = Math.max(0, ...values);
  return element(
    'section',
    { class: `number ${kind}`.trim() },
    element('h3', {}, title),
    element('p', { class: 'figure' }, COUNT.format(total)),
    plot(
      values,
      room,
      `${title}: ${COUNT.format(total)} in the last day, at most ${COUNT.format(most)} in five minutes`,
    ),
    paragraph(`at most ${COUNT.format(most)} in five minutes`, 'small'),
  );
}

/** Oldest first, up to now: five minutes without a row are zero. */
function seriesOf(name, { step, room, items }) {
  const counts = new Map(
    items.map((item) => [Math.floor(Date.parse(item.began_at) / 1_000 / step), item[name]]),
  );
  const now = Math.floor(Date.now() / 1_000 / step);
  return Array.from({ length: room }, (_, at) => counts.get(now - room + 1 + at) ?? 0);
}
