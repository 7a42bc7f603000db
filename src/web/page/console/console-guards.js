/** Guards that check JWTs alone: what is left of their leases, and who is waited for. */
import { button, element, paragraph } from './console-elements.js';
import { item, pagedList } from './console-list.js';
import { call } from './console-login.js';

export function openGuards({ body }) {
  const list = pagedList({
    read: async () => ({ items: (await call('GET', 'admin/guards')).items, next: null }),
    draw: drawGuard,
    empty: 'No API checks JWTs alone at the moment. One does with JwtValidator and exact revocations.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'APIs that check JWTs by themselves, and hear of what is revoked. A revoke waits until each of them has confirmed it, or its lease is over.',
      ),
      button('Look again', () => void list.load()),
    ),
    list.node,
  );
  void list.load();
}

function drawGuard(guard) {
  const { name, client_id: clientId, lease_ms: lease, behind, awaited_by: awaited } = guard;
  return item({
    title: `${clientId}: ${name.slice(0, 8)}`,
    badges: badgesOf(guard),
    facts: [
      ['Lease', lease > 0 ? `${lease} ms left` : 'over: it has not asked again'],
      ['Behind by', behind === 1 ? 'one revocation' : `${behind} revocations`],
      ['Revokes that wait', String(awaited)],
      ['Follows', `instance ${guard.instance.slice(0, 8)}`],
      ['As of', `${guard.described_ms_ago} ms ago`],
    ],
  });
}

function badgesOf({ lease_ms: lease, awaited_by: awaited }) {
  if (awaited > 0) return [['is waited for', 'bad']];
  return lease > 0 ? [['keeps up', 'good']] : [['no lease']];
}
