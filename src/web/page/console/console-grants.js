/** Why tokens exist: logins, API keys, clients and consents, of everybody. */
import { ask } from './console-dialog.js';
import { button, element, field, input, paragraph } from './console-elements.js';
import { filter } from './console-filter.js';
import { item, pagedList, pageOf } from './console-list.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';
import { shownScope } from './console-scope.js';

const NOTHING = { items: [], next: null };

export function openGrants({ body, say, go, question }) {
  let asked = question;
  const list = pagedList({
    read: (cursor) => readGrants(asked, cursor),
    draw: (grant) => drawGrant(grant, { say, go, reload: () => list.load() }),
    empty:
      'No living grants here: nobody of this name is logged in or has a key, or the client has never got a token. What has ended is in the audit log.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Each login, each API key, each client that has got a token and each consent of a person is one. Whoever ends a grant ends all of its tokens. Living ones, newest first.',
      ),
    ),
    filter(
      [
        field('User', input('user', { maxlength: '128' })),
        field('Client id', input('client_id', { maxlength: '128' })),
      ],
      asked,
      (wanted) => {
        asked = wanted;
        say(
          wanted.user && wanted.client_id
            ? 'A grant belongs to a user or to a client: search for one of them.'
            : '',
        );
        void list.load();
      },
    ),
    list.node,
  );
  void list.load();
}

async function readGrants({ user, client_id: clientId }, cursor) {
  if (!user) return call('GET', pageOf('admin/grants', { client_id: clientId }, cursor));
  if (clientId) return NOTHING;
  const { items } = await call('GET', pageOf('admin/users', { name: user }));
  if (items.length === 0) return NOTHING;
  return call('GET', pageOf('admin/grants', { user_id: items[0].id }, cursor));
}

function drawGrant(grant, tools) {
  const { kind, ip, user_agent: agent } = grant;
  return item({
    title: nameOf(grant),
    badges: [[{ login: 'login', api_key: 'API key', client: 'client', consent: 'consent' }[kind]]],
    facts: [
      ['May', shownScope(grant.scope)],
      ['From', [ip, agent].filter(Boolean).join(', ') || 'unknown'],
      ['Began', moment(grant.created_at)],
      ['Last used', moment(grant.last_used_at, 'not yet')],
      ['Ends', moment(grant.expires_at, 'stands until it is revoked')],
    ],
    actions: [
      button('Story', () => tools.go('story', { token: grant.id })),
      button('Audit log', () => tools.go('audit', { grant_id: grant.id })),
      button('Revoke', () => void revoke(grant, tools), 'danger'),
    ],
  });
}

function nameOf({ kind, username, client_id: clientId, label }) {
  const person = username ?? 'somebody who is gone';
  const owner = kind === 'consent' ? `${person} to ${clientId}` : (username ?? clientId ?? person);
  return label ? `${owner}: ${label}` : owner;
}

async function revoke(grant, { say, reload }) {
  const name = nameOf(grant);
  const revoked = await ask({
    title: `Revoke the grant of ${name}?`,
    sentences: ['All of its tokens die at once, everywhere. This cannot be undone.'],
    action: 'Revoke the grant',
    danger: true,
    work: () =>
      call('DELETE', `admin/grants/${grant.id}`).catch((refusal) => {
        if (refusal.status !== 404) throw refusal;
      }),
  });
  if (!revoked) return;
  say(`The grant of ${name} is revoked, with all of its tokens.`);
  await reload();
}
