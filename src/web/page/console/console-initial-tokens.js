/** Initial access tokens: who has one registers clients. Made, copied once, taken back. */
import { ask } from './console-dialog.js';
import { button, element, field, input, paragraph, select } from './console-elements.js';
import { item, pagedList, pageOf } from './console-list.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';
import { reveal } from './console-secret.js';

const PATH = 'admin/initial-access-tokens';
const DAY = 86_400;
const LIFETIMES = [
  [DAY, 'a day'],
  [7 * DAY, '7 days'],
  [30 * DAY, '30 days'],
  [365 * DAY, 'a year'],
];

export function openInitialTokens({ body, say }) {
  const list = pagedList({
    read: (cursor) => call('GET', pageOf(PATH, {}, cursor)),
    draw: (token) => drawToken(token, say, list),
    empty: 'None yet. Somebody who is to register clients gets one of their own: press “New token”.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Who has one registers clients at `POST /oauth/register`, while the setting `REGISTRATION` is `token`. Newest first.',
      ),
      button('New token', () => void makeToken(list), 'primary'),
    ),
    list.node,
  );
  void list.load();
}

function drawToken(token, say, list) {
  const over = Date.parse(token.expires_at) <= Date.now();
  return item({
    title: token.label,
    badges: badgesOf(token, over),
    facts: [
      ['Clients left', String(token.uses_left)],
      ['Made', moment(token.created_at)],
      [over ? 'Ended' : 'Ends', moment(token.expires_at)],
    ],
    actions: [button('Take back', () => void takeBack(token, say, list), 'danger')],
  });
}

function badgesOf({ uses_left: left }, over) {
  if (over) return [['over']];
  return left === 0 ? [['used up']] : [['good', 'good']];
}

async function makeToken(list) {
  const lifetime = select('lifetime', LIFETIMES);
  lifetime.value = String(7 * DAY);
  const made = await ask({
    title: 'New initial access token',
    sentences: ['Whoever has it registers clients. People are asked before such a client may do anything.'],
    fields: [
      field(
        'Whom it is for',
        input('label', { required: true, maxlength: '100' }),
        'As in “the bakery team”. Only administrators see it.',
      ),
      field(
        'Clients',
        input('uses', { type: 'number', required: true, min: '1', max: '10000', value: '1' }),
        'How many can register with it.',
      ),
      field('Good for', lifetime),
    ],
    action: 'Make the token',
    known: {
      'invalid_request.label': 'Say whom it is for in 1 to 100 characters, without line breaks.',
      'invalid_request.uses': 'Between 1 and 10,000 clients can register with it.',
    },
    work: ({ label, uses, lifetime }) =>
      call('POST', PATH, {
        label: label.value,
        uses: Number(uses.value),
        expires_in: Number(lifetime.value),
      }),
  });
  if (!made) return;
  void list.load();
  await reveal({
    title: `The token “${made.label}”`,
    sentence:
      'Copy it now: it is shown this once. Keks itself keeps only a digest of it, and nobody can show it to you again.',
    parts: [['Token', made.initial_access_token]],
  });
}

async function takeBack({ id, label }, say, list) {
  const gone = await ask({
    title: `Take “${label}” back?`,
    sentences: ['Nobody registers with it any more. Clients that have done so stay. This cannot be undone.'],
    action: 'Take it back',
    danger: true,
    work: () =>
      call('DELETE', `${PATH}/${id}`).catch((refusal) => {
        if (refusal.status !== 404) throw refusal;
      }),
  });
  if (!gone) return;
  say(`The token “${label}” is good for nothing now.`);
  await list.load();
}
