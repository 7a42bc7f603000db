/** How the secret of a client is rotated: a second one is made, rolled out, and the first one retired. */
import { Refusal } from './console-api.js';
import { ask } from './console-dialog.js';
import { button, element, notice, paragraph } from './console-elements.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';
import { reveal } from './console-secret.js';
import { problemOf } from './console-trouble.js';

const MOST = 2;

/** @returns a button that opens the panel, and the panel */
export function secretsPanel(client, say) {
  const node = element('div', { class: 'panel', hidden: true, id: `secrets-${client.client_id}` });
  const toggle = button('Secrets', () => {
    node.hidden = !node.hidden;
    toggle.setAttribute('aria-expanded', String(!node.hidden));
    if (!node.hidden) void load();
  });
  toggle.setAttribute('aria-expanded', 'false');
  toggle.setAttribute('aria-controls', node.id);

  async function load() {
    try {
      const { secrets } = await call('GET', pathOf(client));
      const focused = node.contains(document.activeElement);
      node.replaceChildren(...drawSecrets(client, secrets, { say, load }));
      if (focused) toggle.focus();
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      node.replaceChildren(notice(problemOf(refusal), load));
    }
  }

  return { toggle, node };
}

function drawSecrets(client, secrets, tools) {
  const rows = secrets.map((secret) =>
    element(
      'li',
      {},
      element('span', {}, 'Made ', moment(secret.created_at)),
      button('Retire', () => void retire(client, secret, secrets.length === 1, tools), 'danger'),
    ),
  );
  return [
    paragraph(
      secrets.length === 0
        ? 'It has no secret, so it cannot get tokens: make one.'
        : 'To rotate: make a second one, give it to the client, then retire the first.',
      'small',
    ),
    element('ul', {}, ...rows),
    secrets.length < MOST
      ? button('New secret', () => void add(client, tools))
      : paragraph('Two live at most: retire one to make another.', 'small'),
  ];
}

async function add(client, { load }) {
  const added = await ask({
    title: `A new secret for ${client.name}?`,
    sentences: ['The one in use lives on until you retire it.'],
    action: 'Make the secret',
    known: { invalid_request: 'It has two secrets already: retire one first.' },
    work: () => call('POST', `${pathOf(client)}/secrets`),
  });
  if (!added) return;
  void load();
  await reveal({
    title: `A secret of “${client.name}”`,
    sentence: 'Copy it now: it is shown this once. Keks itself keeps only a digest of it.',
    parts: [
      ['Client id', added.client_id],
      ['Client secret', added.client_secret],
    ],
  });
}

async function retire(client, { id }, last, { say, load }) {
  const retired = await ask({
    title: `Retire this secret of ${client.name}?`,
    sentences: [
      'Nobody can get tokens with it any more; tokens that were got with it live on. This cannot be undone.',
      ...(last ? ['It is the only one: the client can do nothing until it has another.'] : []),
    ],
    action: 'Retire the secret',
    danger: true,
    work: () => call('DELETE', `${pathOf(client)}/secrets/${id}`),
  });
  if (!retired) return;
  say(`The secret of ${client.name} is retired.`);
  await load();
}

const pathOf = ({ client_id: id }) => `admin/clients/${encodeURIComponent(id)}`;
