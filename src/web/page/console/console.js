/** Signs in and out, and shows one view at a time. */
import { Refusal } from './console-api.js';
import { closeDialogs } from './console-dialog.js';
import { element } from './console-elements.js';
import { current, leave, onEnd, signIn, signOut } from './console-login.js';
import { clock } from './console-moment.js';
import { sentenceOf } from './console-trouble.js';
import { ACCOUNT, ADMIN } from './console-views.js';

const FAREWELLS = {
  over: 'You are signed out: your token was revoked, or its session was ended. Sign in again to go on.',
  expired: 'You are signed out: your token has expired. Sign in again to go on.',
  leaving: 'Signing out …',
  left: 'You are signed out, and the session is over.',
  unsure: 'You are signed out here, but the server could not be told: the session ends by itself.',
  reloaded: 'The page was loaded anew, so nobody is signed in: a token is kept in memory only.',
};

const byId = (id) => document.getElementById(id);
const form = byId('sign-in-form');
let left = new AbortController();
let entering = false;

/** What views work with. */
const stage = {
  /** @param isBad whether something did not work */
  say: (text, isBad = false) => {
    byId('said').textContent = text;
    byId('said').classList.toggle('bad', isBad);
  },
  signOut: () => void depart(),
  /** @param question what another view is to look for */
  go: (name, question) => show(name, question),
};

async function enter(event) {
  event.preventDefault();
  if (entering) return;
  entering = true;
  const { user, password } = form.elements;
  byId('sign-in-alert').textContent = '';
  try {
    const stays = await signIn(user.value, password.value);
    form.reset();
    if (stays) admit();
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    password.value = '';
    byId('sign-in-alert').textContent = sentenceOf(refusal, {
      invalid_credentials: 'The user or the password is wrong.',
      invalid_request: 'This cannot be a user and a password of this server.',
    });
    password.focus();
  } finally {
    entering = false;
  }
}

function admit() {
  const { user, ends } = current();
  byId('who').textContent = user;
  byId('until').textContent = `signed in until ${clock(ends)}`;
  for (const id of ['skip', 'identity', 'desk']) byId(id).hidden = false;
  byId('sign-in').hidden = true;
  drawMenu();
  show(nameInAddress());
}

async function depart() {
  const told = await signOut();
  // somebody may have signed in again meanwhile
  if (!current()) farewell(told ? 'left' : 'unsure');
}

function farewell(why) {
  left.abort();
  closeDialogs();
  byId('view').replaceChildren();
  for (const id of ['skip', 'identity', 'desk']) byId(id).hidden = true;
  byId('sign-in').hidden = false;
  byId('farewell').hidden = why === undefined;
  byId('farewell').textContent = FAREWELLS[why] ?? '';
  document.title = 'Keks: console';
  form.elements.user.focus();
}

function views() {
  return current()?.admin ? [...ACCOUNT, ...ADMIN] : ACCOUNT;
}

function show(name, question = {}) {
  const known = views();
  const view = known.find((one) => one.name === name) ?? known[0];
  const shown = nameInAddress();
  if (shown !== view.name) {
    const way = known.some((one) => one.name === shown) ? 'pushState' : 'replaceState';
    history[way](undefined, '', `#/${view.name}`);
  }
  closeDialogs();
  left.abort();
  left = new AbortController();
  const body = element('div', { class: `view ${view.name}` });
  byId('view').replaceChildren(body);
  byId('title').textContent = view.label;
  document.title = `Keks: ${view.label}`;
  stage.say('');
  openMenu(false);
  for (const link of byId('views').querySelectorAll('a')) {
    if (link.hash === `#/${view.name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  view.open({ ...stage, body, question, left: left.signal });
  byId('title').focus({ preventScroll: true });
  scrollTo(0, 0);
}

function nameInAddress() {
  return location.hash.startsWith('#/') ? location.hash.slice(2) : '';
}

function drawMenu() {
  const group = (title, entries) => [
    element('h2', {}, title),
    element(
      'ul',
      {},
      ...entries.map(({ name, label }) => element('li', {}, element('a', { href: `#/${name}` }, label))),
    ),
  ];
  const admin = current().admin && ADMIN.length > 0;
  byId('views').replaceChildren(
    ...group('Your account', ACCOUNT),
    ...(admin ? group('Administration', ADMIN) : []),
  );
}

/** On a phone; on a wide screen it is always there. */
function openMenu(open) {
  byId('menu').setAttribute('aria-expanded', String(open));
}

form.addEventListener('submit', (event) => void enter(event));
byId('sign-out').addEventListener('click', stage.signOut);
byId('menu').addEventListener('click', () => openMenu(byId('menu').getAttribute('aria-expanded') !== 'true'));
byId('skip').addEventListener('click', (event) => {
  // the address is for views
  event.preventDefault();
  byId('content').focus();
});
addEventListener('popstate', () => {
  if (current()) show(nameInAddress());
});
addEventListener('pagehide', leave);
addEventListener('pageshow', ({ persisted }) => {
  if (persisted && !current()) farewell('reloaded');
});
onEnd(farewell);
const [navigation] = performance.getEntriesByType('navigation');
farewell(navigation?.type === 'reload' ? 'reloaded' : undefined);
