/** The systems that get tokens, and the APIs that ask about them. */
import { ask } from './console-dialog.js';
import { button, element, paragraph } from './console-elements.js';
import { item, pagedList, pageOf } from './console-list.js';
import { RULES_REFUSED, ruleFields, rulesOf } from './console-client-rules.js';
import { secretsPanel } from './console-client-secrets.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';
import { addClient } from './console-new-client.js';
import { resourcesPicker } from './console-resources.js';
import { BAD_SCOPE, knownScopes, scopePicker, shownScope } from './console-scope.js';

export function openClients({ body, say, go }) {
  const list = pagedList({
    read: (cursor) => call('GET', pageOf('admin/clients', {}, cursor)),
    draw: (client) => drawClient(client, { say, go, reload: () => list.load() }),
    empty:
      'No clients yet. A system that wants tokens of its own is one, and so is an API that asks about tokens: press “New client”.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Systems that get tokens with a `client_id` and a secret, and APIs that ask about tokens. Newest first.',
      ),
      button('New client', () => void addClient(list), 'primary'),
    ),
    list.node,
  );
  void list.load();
}

function drawClient(client, tools) {
  const { client_id: id, name, disabled } = client;
  const secrets = secretsPanel(client, tools.say);
  const drawn = item({
    title: name,
    badges: [
      ...(disabled ? [['disabled', 'bad']] : []),
      ...(client.self_registered ? [['registered itself', 'plain']] : []),
    ],
    facts: [
      ['Client id', element('code', {}, id)],
      ['May', shownScope(client.scope)],
      ['Is the API', client.audience.length > 0 ? client.audience.join(', ') : 'none'],
      ['Gets tokens for', client.resources?.join(', ') ?? 'any API'],
      ...appFacts(client),
      ...(client.token_exchange ? [['Exchanges tokens', 'those that it was sent, for its APIs']] : []),
      [
        'Tokens',
        `${client.token_format === 'jwt' ? 'JWT' : 'opaque'}${client.dpop_bound_access_tokens ? ', bound to a key (DPoP)' : ''}`,
      ],
      ['Added', moment(client.created_at)],
    ],
    actions: [
      secrets.toggle,
      button('Grants', () => tools.go('grants', { client_id: id })),
      button('Audit log', () => tools.go('audit', { client_id: id })),
      button('Change scope', () => void changeScope(client, tools)),
      button('Change APIs', () => void changeApis(client, tools)),
      button('Change rules', () => void changeRules(client, tools)),
      button('End all tokens', () => void endAll(client, tools), 'danger'),
      disabled
        ? button('Enable', () => void enable(client, tools))
        : button('Disable', () => void disable(client, tools), 'danger'),
    ],
  });
  drawn.append(secrets.node);
  return drawn;
}

function appFacts(client) {
  const { redirect_uris: addresses, device_grant: device, token_endpoint_auth_method: method } = client;
  if (addresses.length === 0 && !device) return [];
  return [
    ['Acts for people', method === 'none' ? 'without a secret' : 'with a secret'],
    ...(addresses.length > 0 ? [['Answers go to', addresses.join(' ')]] : []),
    ...(device ? [['By device code', 'yes, typed at /device']] : []),
    ...(client.require_pushed_authorization_requests ? [['Pushes its requests', 'always']] : []),
  ];
}

async function changeScope(client, { say, reload }) {
  const picker = scopePicker(await knownScopes(), client.scope);
  const changed = await ask({
    title: `What may ${client.name} do?`,
    sentences: ['If it is less than before, all of its tokens die at once, and it has to get new ones.'],
    fields: [picker.node],
    action: 'Change the scope',
    known: { invalid_scope: BAD_SCOPE },
    work: () => patch(client, { scope: picker.value() }),
  });
  if (!changed) return;
  say(`${client.name} may do this now: ${changed.scope || 'nothing'}.`);
  await reload();
}

async function changeApis(client, { say, reload }) {
  const picker = resourcesPicker(await knownScopes(), client.resources ?? []);
  const changed = await ask({
    title: `Which APIs may ${client.name} ask tokens for?`,
    sentences: [
      'If one is taken away, or gets fewer scopes, all of its tokens die at once, and it has to get new ones.',
      ...(client.resources === null
        ? ['So far it may ask for any API that is registered: from now on for these only.']
        : []),
    ],
    fields: [picker.node],
    action: 'Change the APIs',
    known: {
      'invalid_request.resources': 'Each API is an absolute address such as https://oven.example, once.',
    },
    work: () => patch(client, { resources: picker.value() }),
  });
  if (!changed) return;
  say(`${client.name} gets tokens for: ${changed.resources?.join(', ') || 'its own API only'}.`);
  await reload();
}

async function changeRules(client, { say, reload }) {
  const changed = await ask({
    title: `How does ${client.name} get tokens?`,
    sentences: [
      client.token_exchange
        ? 'If it may not exchange tokens any more, what it got that way dies at once.'
        : 'The tokens that it has live on.',
    ],
    fields: ruleFields(client),
    action: 'Change the rules',
    known: RULES_REFUSED,
    work: (chosen) => patch(client, rulesOf(chosen)),
  });
  if (!changed) return;
  say(`${client.name} gets tokens by other rules now.`);
  await reload();
}

async function disable(client, { say, reload }) {
  const disabled = await ask({
    title: `Disable ${client.name}?`,
    sentences: ['All of its tokens die at once, and it gets no new ones. Enabling gives nothing back.'],
    action: 'Disable',
    danger: true,
    work: () => patch(client, { disabled: true }),
  });
  if (!disabled) return;
  say(`${client.name} is disabled.`);
  await reload();
}

async function enable(client, { say, reload }) {
  const enabled = await ask({
    title: `Enable ${client.name}?`,
    sentences: ['It may get tokens again, with the secrets of before.'],
    action: 'Enable',
    work: () => patch(client, { disabled: false }),
  });
  if (!enabled) return;
  say(`${client.name} may get tokens again.`);
  await reload();
}

async function endAll(client, { say, reload }) {
  const ended = await ask({
    title: `End all tokens of ${client.name}?`,
    sentences: ['They die at once. It may get new ones with its secret.'],
    action: 'End all tokens',
    danger: true,
    work: () => call('POST', `admin/clients/${encodeURIComponent(client.client_id)}/revoke`),
  });
  if (!ended) return;
  say(`All tokens of ${client.name} are dead.`);
  await reload();
}

const patch = (client, change) =>
  call('PATCH', `admin/clients/${encodeURIComponent(client.client_id)}`, change);
