/** Receivers of events: who is told of what ends, and how that goes. */
import { ask } from './console-dialog.js';
import { button, element, field, input, paragraph } from './console-elements.js';
import { item, pagedList } from './console-list.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';

const LATE = 'it was not sent in time';

export function openReceivers({ body, say }) {
  const list = pagedList({
    read: () => call('GET', 'admin/receivers'),
    draw: (receiver) => drawReceiver(receiver, say, list),
    empty:
      'Nobody is told of what ends. A receiver is told at once when sessions and tokens are taken back, users are disabled, or something was stolen.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'They are sent signed events about sessions and tokens that were taken back, users and clients that were disabled, and attacks. What cannot be delivered is kept for three days.',
      ),
      button('New receiver', () => void addReceiver(say, list), 'primary'),
      button('Look again', () => void list.load()),
    ),
    list.node,
  );
  void list.load();
}

function drawReceiver(receiver, say, list) {
  const { undelivered, oldest_at: oldest, events } = receiver;
  return item({
    title: receiver.name,
    badges: badgesOf(receiver),
    facts: [
      ['Address', receiver.url],
      ['Told of', events === null ? 'everything' : events.join(', ')],
      ['Waiting', undelivered === 0 ? 'nothing' : [`${undelivered}, the oldest of `, moment(oldest)]],
      ['Last taken', moment(receiver.delivered_at, 'nothing yet')],
      ['Last tried', moment(receiver.verified_at, 'not yet')],
      ...(receiver.last_error === null ? [] : [['Last error', receiver.last_error]]),
      ...lossesOf(receiver),
    ],
    actions: [
      button('Try it', () => void tryReceiver(receiver, say, list)),
      button('Remove', () => void removeReceiver(receiver, say, list), 'danger'),
    ],
  });
}

function badgesOf({ failing_since: since, delivered_at: delivered, lost_at: lost }) {
  const state = since ? ['fails', 'bad'] : delivered ? ['works', 'good'] : ['new'];
  return lost ? [state, ['has missed events', 'bad']] : [state];
}

function lossesOf({ refused, given_up: givenUp, failing_since: since }) {
  return [
    ...(since ? [['Fails since', moment(since)]] : []),
    ...(refused > 0 ? [['Refused for ever', String(refused)]] : []),
    ...(givenUp > 0 ? [['Given up', String(givenUp)]] : []),
  ];
}

async function addReceiver(say, list) {
  const made = await ask({
    title: 'New receiver',
    sentences: ['It is told of everything that happens from now on.'],
    fields: [
      field(
        'Name',
        input('name', { required: true, maxlength: '40' }),
        'Lower-case letters, digits and hyphens.',
      ),
      field('Address', input('url', { required: true, type: 'url' }), 'Where events are sent to: https.'),
      field(
        'Authorization',
        input('authorization', { type: 'password', maxlength: '2048' }),
        'What it wants in this header, as in `Bearer …`; nothing if it wants none.',
      ),
    ],
    action: 'Add the receiver',
    known: {
      name_taken: 'There is a receiver of this name.',
      'invalid_request.name': 'A name has lower-case letters, digits and hyphens, 40 at most.',
      'invalid_request.url':
        'The address must be https and public, unless whoever runs Keks allows private addresses.',
    },
    work: ({ name, url, authorization }) =>
      call('POST', 'admin/receivers', {
        name: name.value,
        url: url.value,
        ...(authorization.value && { authorization: authorization.value }),
      }),
  });
  if (!made) return;
  say(`“${made.name}” is told from now on.`);
  await list.load();
}

/** A server sends it within a second, and waits five for the answer. */
const LOOKS = 14;
const LOOK_MS = 500;

async function tryReceiver({ id, name, verified_at: before }, say, list) {
  const tried = await ask({
    title: `Try “${name}”?`,
    sentences: ['It is sent an event that says nothing.'],
    action: 'Send the event',
    work: async () => {
      await call('POST', `admin/receivers/${id}/test`);
      let now = await call('GET', `admin/receivers/${id}`);
      for (let look = 0; look < LOOKS && now.verifying; look += 1) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        now = await call('GET', `admin/receivers/${id}`);
      }
      return now;
    },
  });
  if (!tried) return;
  const taken = tried.verified_at !== before;
  say(
    taken
      ? `“${name}” has taken it.`
      : `“${name}” has not taken it: ${tried.verifying ? LATE : tried.last_error}`,
    !taken,
  );
  await list.load();
}

async function removeReceiver({ id, name, undelivered }, say, list) {
  const removed = await ask({
    title: `Remove “${name}”?`,
    sentences: [
      'It is told nothing any more.',
      ...(undelivered > 0 ? [`What it has not taken yet goes with it: ${undelivered}.`] : []),
    ],
    action: 'Remove the receiver',
    danger: true,
    work: () =>
      call('DELETE', `admin/receivers/${id}`).catch((refusal) => {
        if (refusal.status !== 404) throw refusal;
      }),
  });
  if (!removed) return;
  say(`“${name}” is told nothing any more.`);
  await list.load();
}
