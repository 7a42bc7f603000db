/** The systems that get tokens, and the APIs that ask about them. */
import { ask, Mistake } from './console-dialog.js';
import { button, element, field, input, paragraph, select } from './console-elements.js';
import { item, pagedList, pageOf } from './console-list.js';
import { secretsPanel } from './console-client-secrets.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';
import { scopeField, shownScope, typedScope } from './console-scope.js';
import { reveal } from './console-secret.js';

const BAD_SCOPE = 'One of these scopes no client can have: keks:account and offline_access belong to people.';

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
      ...(client.redirect_uris.length > 0
        ? [
            [
              'Acts for people',
              client.token_endpoint_auth_method === 'none' ? 'without a secret' : 'with a secret',
            ],
            ['Answers go to', client.redirect_uris.join(' ')],
          ]
        : []),
      ['Tokens', client.token_format === 'jwt' ? 'JWT' : 'opaque'],
      ['Added', moment(client.created_at)],
    ],
    actions: [
      secrets.toggle,
      button('Grants', () => tools.go('grants', { client_id: id })),
      button('Audit log', () => tools.go('audit', { client_id: id })),
      button('Change scope', () => void changeScope(client, tools)),
      button('End all tokens', () => void endAll(client, tools), 'danger'),
      disabled
        ? button('Enable', () => void enable(client, tools))
        : button('Disable', () => void disable(client, tools), 'danger'),
    ],
  });
  drawn.append(secrets.node);
  return drawn;
}

function newClientFields() {
  return [
    field('Name', input('name', { required: true, maxlength: '100' }), 'What you call it, as in “Oven”.'),
    scopeField('', 'Separated by blanks; what its own tokens may do at most.'),
    field(
      'Is the API',
      input('audience', { placeholder: 'https://oven.example' }),
      'Its address, if it is an API that asks about tokens; several are separated by blanks. Else leave it empty.',
    ),
    field(
      'Gets tokens for',
      input('resources', { placeholder: 'https://oven.example' }),
      'Addresses of other APIs that it may ask tokens for, with “resource”. Else leave it empty.',
    ),
    field(
      'Answers go to',
      input('redirects', { placeholder: 'https://app.example/done' }),
      'If it acts for people, who are asked: the addresses that one is sent back to, separated by blanks. Else leave it empty.',
    ),
    field(
      'Secret',
      select('secret', [
        ['client_secret_basic', 'it keeps one, on a server'],
        ['none', 'none: it runs in other people’s hands'],
      ]),
    ),
    field(
      'Tokens',
      select('format', [
        ['opaque', 'opaque: dead at once when revoked'],
        ['jwt', 'JWT: can be checked without asking'],
      ]),
    ),
  ];
}

async function addClient(list) {
  const added = await ask({
    title: 'New client',
    fields: newClientFields(),
    action: 'Add the client',
    known: {
      invalid_scope: BAD_SCOPE,
      name_taken: 'The name keks is that of the authority itself: choose another one.',
      'invalid_request.name': 'The name has 1 to 100 characters, none of them invisible.',
      'invalid_request.redirect_uris':
        'Each address is https, or http on 127.0.0.1, or an app’s own scheme with a dot in it. Without a secret there must be one.',
      'invalid_request.audience': 'The API is an absolute address such as https://oven.example.',
    },
    work: ({ name, scope, audience, resources, redirects, secret, format }) => {
      if (!name.value.trim()) throw new Mistake('Give it a name.');
      return call('POST', 'admin/clients', {
        name: name.value.trim(),
        scope: typedScope(scope),
        audience: audience.value.trim().split(/\s+/).filter(Boolean),
        resources: resources.value.trim().split(/\s+/).filter(Boolean),
        redirect_uris: redirects.value.trim().split(/\s+/).filter(Boolean),
        token_endpoint_auth_method: secret.value,
        token_format: format.value,
      });
    },
  });
  if (!added) return;
  void list.load();
  const secret = added.client_secret;
  await reveal({
    title: `The client “${added.name}”`,
    sentence: secret
      ? 'Copy the secret now: it is shown this once. Keks itself keeps only a digest of it.'
      : 'It has no secret: its id is all that it needs.',
    parts: [['Client id', added.client_id], ...(secret ? [['Client secret', secret]] : [])],
  });
}

async function changeScope(client, { say, reload }) {
  const changed = await ask({
    title: `What may ${client.name} do?`,
    sentences: ['If it is less than before, all of its tokens die at once, and it has to get new ones.'],
    fields: [scopeField(client.scope, 'Separated by blanks.')],
    action: 'Change the scope',
    known: { invalid_scope: BAD_SCOPE },
    work: ({ scope }) => patch(client, { scope: typedScope(scope) }),
  });
  if (!changed) return;
  say(`${client.name} may do this now: ${changed.scope || 'nothing'}.`);
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
