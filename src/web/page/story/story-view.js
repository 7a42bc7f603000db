/** Draws. Knows nothing of what the messages mean. */

const NAMES = { client: 'Client', api: 'API', authority: 'Authority' };
const ORDER = ['client', 'api', 'authority'];

const byId = (id) => document.getElementById(id);
const troubleBox = byId('trouble');

export function say(sentence) {
  byId('narrator').textContent = sentence;
}

/** The scenes to come, by their titles. */
export function prepare(scenes) {
  document.querySelector('.stage').append(troubleBox);
  byId('scenes').replaceChildren(
    ...scenes.map(({ title, way }, index) => {
      const number = element('span', 'number', String(index + 1));
      const heading = element('h2', '', number, title);
      const row = element('div', 'row', track(preview(way)), heading);
      return element('li', 'scene', row, element('ol', 'messages'));
    }),
  );
}

/** @param at the scene that is played or has been played last; -1 before the first */
export function mark(at, finished) {
  [...byId('scenes').children].forEach((scene, index) => {
    scene.classList.toggle('ahead', index > at);
    if (index === at && !finished) scene.setAttribute('aria-current', 'step');
    else scene.removeAttribute('aria-current');
  });
}

export function empty(at) {
  byId('scenes').children[at]?.querySelector('.messages').replaceChildren();
}

/** A message between two parties, or a note at one of them. */
export function add(at, message) {
  const { from, to, lines, sentence, kind } = message;
  const route = from === undefined ? NAMES[message.at] : `${NAMES[from]} → ${NAMES[to]}`;
  const said = element(
    'div',
    'said',
    element('p', 'route', route, element('span', 'label', message.label), remark(message)),
    element('p', 'sentence', sentence),
    element('pre', 'wire', ...lines.map(line)),
  );
  const row = element('li', `row message ${kind}`, track(...strokes(message)), said);
  byId('scenes').children[at].querySelector('.messages').append(row);
  reveal(row);
}

/** @param at the scene that it belongs to */
export function trouble(problem, at) {
  troubleBox.hidden = problem === undefined;
  if (!problem) return;
  byId('scenes').children[at].append(troubleBox);
  byId('trouble-title').textContent = problem.title;
  byId('trouble-text').textContent = problem.text;
  byId('trouble-login').hidden = !problem.login;
  reveal(troubleBox);
  if (problem.login) troubleBox.querySelector('input').focus({ preventScroll: true });
}

/** Never `disabled`, which would take the focus from whoever has just pressed it. */
export function buttons({ play, step, restart }) {
  byId('play').textContent = play;
  byId('step').setAttribute('aria-disabled', String(!step));
  byId('restart').setAttribute('aria-disabled', String(!restart));
}

function remark({ kind }) {
  return kind === 'inside' ? element('span', 'remark', 'within the server, unseen by a browser') : '';
}

function line(pieces) {
  const shown = pieces.map(({ text, as }) => (as ? element('span', as, text) : text));
  return element('span', 'line', ...shown, '\n');
}

function track(...strokes) {
  const drawn = element('div', 'track', ...strokes);
  drawn.setAttribute('aria-hidden', 'true');
  return drawn;
}

function strokes(message) {
  if (message.from !== undefined)
    return [arrow(message.from, message.to, element('span', 'label', message.label))];
  const loop = element('span', `loop at-${message.at}`, element('span', 'label', message.label));
  if (!message.missing) return [loop];
  const ghost = arrow('api', 'authority', element('span', 'label', 'no request'));
  ghost.classList.add('ghost');
  return [loop, ghost];
}

function arrow(from, to, ...label) {
  const right = ORDER.indexOf(from) < ORDER.indexOf(to);
  const between = right ? `${from}-${to}` : `${to}-${from}`;
  return element('span', `arrow ${between} ${right ? 'right' : 'left'}`, ...label);
}

/** A scene that happens within one party has no way. */
function preview(way) {
  if (!way) return '';
  const drawn = arrow(...way);
  drawn.classList.add('preview');
  return drawn;
}

function reveal(target) {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  target.scrollIntoView({ block: 'nearest', behavior: calm ? 'auto' : 'smooth' });
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}
