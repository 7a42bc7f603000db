/** Which programs may act for somebody, and the end of it. */
import { ask } from './console-dialog.js';
import { button, element, paragraph } from './console-elements.js';
import { item, pagedList, pageOf } from './console-list.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';
import { shownScope } from './console-scope.js';

export function openConsents({ body, say }) {
  const list = pagedList({
    read: (cursor) => call('GET', pageOf('consents', {}, cursor)),
    draw: (consent) => drawConsent(consent, say, list),
    empty: 'No app or device may act for you.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Apps and devices that you have let act for you, the last one first. End what you do not use.',
      ),
    ),
    list.node,
  );
  void list.load();
}

function drawConsent(consent, say, list) {
  return item({
    title: consent.name,
    badges: consent.remembered ? [['is not asked again']] : [],
    facts: [
      ['May', shownScope(consent.scope)],
      ['Client id', consent.client_id],
      ['Since', moment(consent.created_at)],
      ['Last used', moment(consent.last_used_at, 'not yet')],
      ['Ends', moment(consent.expires_at)],
    ],
    actions: [button('End', () => void end(consent, say, list), 'danger')],
  });
}

async function end({ client_id: clientId, name }, say, list) {
  const ended = await ask({
    title: `End what ${name} may do?`,
    sentences: ['All that it has got in your name is dead at once, and it has to ask you again.'],
    action: 'End it',
    danger: true,
    work: () =>
      call('DELETE', `consents/${encodeURIComponent(clientId)}`).catch((refusal) => {
        if (refusal.status !== 404) throw refusal;
      }),
  });
  if (!ended) return;
  say(`${name} may do nothing in your name any more.`);
  await list.load();
}
