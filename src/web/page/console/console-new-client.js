/** A new system that gets tokens, or an API that asks about them. */
import { ask, Mistake } from './console-dialog.js';
import { field, input, select } from './console-elements.js';
import { RULES_REFUSED, ruleFields, rulesOf } from './console-client-rules.js';
import { call } from './console-login.js';
import { resourcesPicker } from './console-resources.js';
import { BAD_SCOPE, knownScopes, scopePicker } from './console-scope.js';
import { reveal } from './console-secret.js';

function newClientFields(scope, apis) {
  return [
    field('Name', input('name', { required: true, maxlength: '100' }), 'What you call it, as in “Oven”.'),
    scope.node,
    field(
      'Is the API',
      input('audience', { placeholder: 'https://oven.example' }),
      'Its address, if it is an API that asks about tokens; several are separated by blanks. Else leave it empty.',
    ),
    apis.node,
    field(
      'Answers go to',
      input('redirects', { placeholder: 'https://app.example/done' }),
      'If it acts for people, who are asked: the addresses that one is sent back to, separated by blanks. Else leave it empty.',
    ),
    field(
      'Device codes',
      select('device', [
        ['', 'no'],
        ['yes', 'yes: it acts for people, who type a code on another device'],
      ]),
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
    ...ruleFields(),
  ];
}

export async function addClient(list) {
  const known = await knownScopes();
  const scopes = scopePicker(known, '', 'What its own tokens may do at most.');
  const apis = resourcesPicker(known, []);
  const added = await ask({
    title: 'New client',
    fields: newClientFields(scopes, apis),
    action: 'Add the client',
    known: {
      invalid_scope: BAD_SCOPE,
      name_taken: 'The name keks is that of the authority itself: choose another one.',
      'invalid_request.name': 'The name has 1 to 100 characters, none of them invisible.',
      'invalid_request.redirect_uris':
        'Each address is https, or http on 127.0.0.1, or an app’s own scheme with a dot in it. Without a secret there must be one, or device codes.',
      'invalid_request.resources': 'Each API is an absolute address such as https://oven.example, once.',
      ...RULES_REFUSED,
      'invalid_request.audience': 'The API is an absolute address such as https://oven.example.',
    },
    work: (elements) => {
      const { name, audience, redirects, device, secret, format } = elements;
      if (!name.value.trim()) throw new Mistake('Give it a name.');
      return call('POST', 'admin/clients', {
        name: name.value.trim(),
        scope: scopes.value(),
        audience: audience.value.trim().split(/\s+/).filter(Boolean),
        resources: apis.value(),
        redirect_uris: redirects.value.trim().split(/\s+/).filter(Boolean),
        device_grant: device.value === 'yes',
        token_endpoint_auth_method: secret.value,
        token_format: format.value,
        ...rulesOf(elements),
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
