/** What happened: who, what, when and from where. */
import { button, element, field, input, paragraph } from './console-elements.js';
import { filter } from './console-filter.js';
import { item, pagedList, pageOf } from './console-list.js';
import { call } from './console-login.js';
import { instant } from './console-moment.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** What is suggested; any other can be typed. */
const TYPES = [
  ...[
    'token.issued',
    'token.exchanged',
    'token.refreshed',
    'token.refreshed_again',
    'token.refused',
    'token.revoked',
  ],
  ...['login.refused', 'refresh.replayed', 'api_key.issued', 'grant.revoked', 'grants.revoked_all'],
  ...['user.added', 'user.disabled', 'user.enabled', 'user.scope_changed', 'user.password_changed'],
  ...['user.password_ended', 'user.reset_link_made'],
  ...['user.revoked', 'user.sessions_revoked', 'client.added', 'client.changed', 'client.refused'],
  ...['client.revoked', 'client.secret_added', 'client.secret_retired'],
  ...[
    'client.registered',
    'client.removed',
    'client.expired',
    'initial_token.added',
    'initial_token.revoked',
  ],
  ...['consent.given', 'consent.denied', 'code.replayed', 'user_code.refused'],
];

export function openAudit({ body, go, question }) {
  let asked = question;
  const list = pagedList({
    read: (cursor) => call('GET', pageOf('admin/audit', inZone(asked), cursor)),
    draw: (event) => drawEvent(event, go),
    empty: 'Nothing of this kind has happened, or it is older than 13 months. Search for less.',
  });
  const fields = [
    field('What', input('type', { list: 'event-types', maxlength: '256', placeholder: 'login.refused' })),
    field('User', input('user', { maxlength: '128' })),
    field('Client id', input('client_id', { maxlength: '128' })),
    field('From', input('since', { type: 'datetime-local' })),
    field('Until', input('until', { type: 'datetime-local' })),
    field('Grant id', input('grant_id', { pattern: '[0-9a-fA-F\\-]{36}', title: 'an id of 36 characters' })),
    field('Token id', input('token_id', { pattern: '[0-9a-fA-F\\-]{36}', title: 'an id of 36 characters' })),
  ];
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Newest first, for 13 months. Nothing here can be changed, and no secret is ever in it. A user or client finds what it did and what was done to it; times are those of this browser.',
      ),
    ),
    element('datalist', { id: 'event-types' }, ...TYPES.map((value) => element('option', { value }))),
    filter(fields, asked, (wanted) => {
      asked = wanted;
      void list.load();
    }),
    list.node,
  );
  void list.load();
}

/** What was chosen is in the time of this browser. */
function inZone({ since, until, ...asked }) {
  const zoned = (local) => new Date(local).toISOString();
  return { ...asked, ...(since && { since: zoned(since) }), ...(until && { until: zoned(until) }) };
}

function drawEvent(event, go) {
  const { grant_id: grant, token_id: token, request_id: request } = event;
  const drawn = item({
    title: element('span', {}, event.type),
    badges: event.type.endsWith('.refused') || event.type === 'refresh.replayed' ? [['refused', 'bad']] : [],
    facts: [
      ['Who', event.actor ?? 'nobody who proved it'],
      ['From', event.ip ?? 'the server itself'],
      ...Object.entries(event.detail)
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]) => [name.replaceAll('_', ' '), textOf(value)]),
      ...(request ? [['Request', element('code', {}, request)]] : []),
      ...(grant ? [['Grant', more(grant, () => go('audit', { grant_id: grant }))]] : []),
      ...(token ? [['Token', more(token, () => go('story', { token }))]] : []),
    ],
  });
  drawn.classList.add('event');
  drawn.querySelector('h2').append(instant(event.created_at));
  return drawn;
}

/** The beginning of an id, and the way to what happened to it. */
function more(id, press) {
  const link = button(`${id.slice(0, 8)}…`, press, 'link');
  link.title = id;
  return link;
}

function textOf(value) {
  if (TIME.test(value)) return instant(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
