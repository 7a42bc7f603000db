import type { ClientRecord, NewSecret } from '../../auth/clients/clients.service.js';
import { facts, type Answer } from '../answer.js';
import { Refusal } from '../refusal.js';
import { clientRefusal } from './client-refusal.js';
import { withClients } from './client-services.js';

interface AddOptions {
  readonly scope?: string;
  readonly audience?: string[];
  readonly resource?: string[];
  readonly redirectUri?: string[];
  readonly public?: true;
  readonly tokenFormat: 'opaque' | 'jwt';
}

/** `keks client add` */
export async function add(
  name: string,
  { scope: text, audience = [], resource: resources = [], tokenFormat, ...app }: AddOptions,
): Promise<Answer> {
  const { redirectUri: redirectUris = [], public: isPublic = false } = app;
  const [{ parseScope }, { appFlaw, clientFlaw }] = await Promise.all([
    import('../../auth/scope.js'),
    import('../../auth/clients/client-flaw.js'),
  ]);
  const scope = parseScope(text ?? '');
  if (!scope)
    throw new Refusal('invalid_scope', 'The scope is malformed: words with one space between them.', {
      parameter: 'scope',
    });
  const client = { name, scope, audience, resources, tokenFormat, redirectUris };
  const flaw = clientFlaw(client) ?? appFlaw({ ...client, isPublic });
  if (flaw) throw clientRefusal(flaw);
  const added = await withClients(async (clients, by): Promise<ClientRecord & Partial<NewSecret>> =>
    isPublic ? clients.addPublic(client, by) : clients.add(client, by),
  );
  const { clientSecret: secret } = added;
  return {
    json: {
      client_id: added.clientId,
      ...(secret !== undefined && { client_secret: secret }),
      scope: added.scope,
      audience: added.audience,
      resources: added.resources,
      ...(redirectUris.length > 0 && { redirect_uris: redirectUris }),
    },
    text: facts([
      ['client_id', added.clientId],
      ['client_secret', secret],
      ['scope', added.scope],
      ['audience', added.audience.join(' ')],
      ['resources', resources.join(' ')],
      ['redirect to', redirectUris.join(' ')],
      ['', secret ? 'Nobody can show the secret to you again.' : 'It has no secret: its name is enough.'],
    ]),
  };
}
