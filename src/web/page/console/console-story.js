/** The life of a token: who got it from where, what became of it, and why it is refused. */
import { Refusal } from './console-api.js';
import { element, field, input, notice, paragraph } from './console-elements.js';
import { filter } from './console-filter.js';
import { item } from './console-list.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';
import { shownScope } from './console-scope.js';
import { drawTimeline } from './console-timeline.js';
import { problemOf } from './console-trouble.js';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const KINDS = { access: 'Access token', refresh: 'Refresh token', api_key: 'API key' };
const GRANTS = { login: 'Login', api_key: 'API key', client: 'Client', consent: 'Consent' };
const KNOWN = {
  not_found:
    'Nothing is known of it. It was never issued here, or it is a client secret, or all that happened is older than 13 months.',
};

export function openStory({ body, go, question }) {
  const told = element('div', { class: 'told' });
  const text = input('token', { required: true, placeholder: 'kat_…' });
  const search = async (wanted) => {
    // a token must not lie about on the screen
    text.value = ID.test(wanted.token ?? '') ? wanted.token : '';
    if (!wanted.token) return told.replaceChildren();
    await tell(wanted.token, told, go);
    told.querySelector('h2')?.focus();
  };
  const form = filter(
    [field('A token, or the id of a token or a grant', text)],
    question,
    (wanted) => void search(wanted),
    ['Tell', 'Clear'],
  );
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Somebody has found a token, or asks why one is refused: here is what happened to it. What you paste goes to this server only and is shown nowhere. Ids are in the audit log.',
      ),
    ),
    form,
    told,
  );
  if (question.token) void tell(question.token, told, go);
}

async function tell(text, told, go) {
  try {
    const story = await call('POST', 'admin/tokens/story', ID.test(text) ? { id: text } : { token: text });
    told.replaceChildren(...drawStory(story, go));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    told.replaceChildren(notice(problemOf(refusal, KNOWN)));
  }
}

function drawStory({ token, grant, events, complete }, go) {
  const subjects = [...(token ? [aboutToken(token)] : []), grant ? aboutGrant(grant) : undefined];
  return [
    element('ul', { class: 'items' }, ...subjects.filter(Boolean)),
    grant
      ? ''
      : paragraph('Its login, key or client has ended long ago, and is gone but for these events.', 'small'),
    drawTimeline(events, token?.id, (id) => go('story', { token: id })),
    complete
      ? ''
      : paragraph('More happened after the first event than is shown here: see the audit log.', 'small'),
  ];
}

function aboutToken({ id, kind, expires_at: expiresAt, refused_because: reasons }) {
  const alive = reasons?.length === 0;
  return item({
    title: KINDS[kind] ?? 'Token',
    badges: reasons ? [[alive ? 'alive' : 'refused', alive ? 'good' : 'bad']] : [],
    facts: [
      ['Id', element('code', {}, id)],
      ...(reasons && !alive ? [['Refused because', reasons.join(', ').replaceAll('_', ' ')]] : []),
      ['Expires', moment(expiresAt, 'not told by any event')],
    ],
  });
}

function aboutGrant(grant) {
  const owner = grant.username ?? grant.client_id ?? 'somebody who is gone';
  return item({
    title: `${GRANTS[grant.kind]} of ${owner}`,
    badges: grant.revoked_at ? [['ended', 'bad']] : [],
    facts: [
      ...(grant.label ? [['Name', grant.label]] : []),
      ['May', shownScope(grant.scope)],
      ['Began', moment(grant.created_at)],
      ['From', [grant.ip, grant.user_agent].filter(Boolean).join(', ') || 'unknown'],
      grant.revoked_at
        ? ['Ended', [moment(grant.revoked_at), `, ${(grant.revoked_reason ?? '').replaceAll('_', ' ')}`]]
        : ['Ends', moment(grant.expires_at, 'stands until it is revoked')],
    ],
  });
}
