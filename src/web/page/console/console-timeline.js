/** What happened, one after the other. */
import { button, element } from './console-elements.js';
import { instant } from './console-moment.js';

const SENTENCES = {
  'token.issued': 'Issued',
  'api_key.issued': 'The key was made',
  'token.exchanged': 'Exchanged for a token for another API',
  'token.refreshed': 'Refreshed into new tokens',
  'token.refreshed_again': 'Refreshed once more, because the answer had been lost',
  'token.refused': 'A refresh was refused',
  'refresh.replayed': 'A used refresh token came back, so everything ended',
  'token.revoked': 'Revoked',
  'token.source_revoked': 'Ended: a token that it was made from was revoked',
  'token.actor_ended': 'Ended: a client that acts in it lost what it acted by',
  'grant.revoked': 'Ended, with all of its tokens',
  'grant.last_used': 'Last used',
  'token.expired': 'Expired',
  'grant.expired': 'Expired, with all of its tokens',
};
const ENDS = [
  'token.refused',
  'refresh.replayed',
  'token.revoked',
  'token.source_revoked',
  'token.actor_ended',
  'grant.revoked',
  'token.expired',
  'grant.expired',
];

/**
 * @param own the id of the token that it is about, if it is about one
 * @param follow called with the id of another one
 */
export function drawTimeline(events, own, follow) {
  return element('ol', { class: 'timeline' }, ...events.map((event) => drawEvent(event, own, follow)));
}

function drawEvent(event, own, follow) {
  const name = (id) => (id === own ? 'this one' : link(id, follow));
  const facts = [
    ['by', event.by],
    ['from', event.ip],
    ['with', event.from_id && name(event.from_id)],
    ['token', event.token_id && name(event.token_id)],
    ['refresh token', event.refresh_token_id && name(event.refresh_token_id)],
    ['may', event.scope],
    ['because', event.reason?.replaceAll('_', ' ')],
  ];
  const kind = ENDS.includes(event.what) ? 'end' : undefined;
  return element(
    'li',
    { class: kind },
    instant(event.at),
    element('p', {}, SENTENCES[event.what] ?? event.what),
    element(
      'dl',
      {},
      ...facts
        .filter(([, value]) => value)
        .map(([label, value]) => element('div', {}, element('dt', {}, label), element('dd', {}, value))),
    ),
  );
}

function link(id, follow) {
  const made = button(`${id.slice(0, 8)}…`, () => follow(id), 'link');
  made.title = id;
  return made;
}
