import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ClientRecord, NewSecret } from '../../auth/clients/clients.service.js';
import type { PublicJwk } from '../../auth/clients/client-keys.js';
import { facts, type Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal } from '../refusal.js';
import { clientRefusal } from './client-refusal.js';
import { listOf, withClients } from './client-record.js';

interface AddOptions {
  readonly scope?: string;
  readonly audience?: string[];
  readonly resource?: string[];
  readonly redirectUri?: string[];
  readonly device?: true;
  readonly requirePushedRequests?: true;
  readonly public?: true;
  readonly jwks?: string;
  readonly dpop?: true;
  readonly exchange?: true;
  readonly tokenFormat: 'opaque' | 'jwt';
}

export function addVerb(noun: Command, act: Act): void {
  noun
    .command('add')
    .description('adds a client and prints its secret, once')
    .argument('<name>')
    .addOption(once('--scope <scope>', 'what its tokens may carry, space-separated'))
    .addOption(
      uris('--audience <uri>', '"I am this API": whose tokens it may introspect; may be given again'),
    )
    .addOption(
      uris(
        '--resource <uri>',
        'an API that it may ask tokens for, and, in the same quotes, what they may carry; may be given again',
      ),
    )
    .addOption(uris('--redirect-uri <uri>', 'it acts for people, and answers go there; may be given again'))
    .option(
      '--device',
      'it acts for people, who type a code on another device: for terminals, televisions and the like',
    )
    .option('--require-pushed-requests', 'it has to push what it asks for before it sends anybody (RFC 9126)')
    .option('--public', "it runs in other people's hands, so it gets no secret")
    .option('--dpop', 'it gets only tokens that are bound to a key, which it proves to have')
    .option(
      '--exchange',
      'it may exchange tokens that it was sent, as an API, for tokens for each --resource (RFC 8693)',
    )
    .addOption(
      once(
        '--jwks <file>',
        'it proves itself with a key of its own (private_key_jwt): its public keys, a JWK set',
      ),
    )
    .addOption(
      new Option('--token-format <format>', 'how its tokens are made')
        .choices(['opaque', 'jwt'])
        .default('opaque'),
    )
    .addHelpText(
      ...examples(
        'keks client add "night baker" --scope cookies:eat',
        'keks client add shop --audience https://shop.example.com --token-format jwt',
        'keks client add shop --audience https://shop.example.com --exchange --resource https://tea.example.com --scope tea:pour',
        'keks client add "my app" --public --redirect-uri http://127.0.0.1/done --scope cookies:eat',
        'keks client add "my terminal" --public --device --scope cookies:eat',
      ),
    )
    .action(act(add));
}

function uris(flags: string, description: string): Option {
  return new Option(flags, description).argParser((uri: string, before: string[] | undefined) => {
    if (before?.includes(uri)) throw new InvalidArgumentError('It is given twice.');
    return [...(before ?? []), uri];
  });
}

async function add(
  name: string,
  { scope: text, audience = [], resource: resources = [], tokenFormat, ...app }: AddOptions,
): Promise<Answer> {
  const { redirectUri: redirectUris = [], device: deviceGrant = false, public: isPublic = false } = app;
  const requirePushed = app.requirePushedRequests ?? false;
  const dpopBound = app.dpop ?? false;
  const tokenExchange = app.exchange ?? false;
  const [{ parseScope }, { appFlaw, clientFlaw }] = await Promise.all([
    import('../../auth/scope.js'),
    import('../../auth/clients/client-flaw.js'),
  ]);
  const scope = parseScope(text ?? '');
  if (!scope)
    throw new Refusal('invalid_scope', 'The scope is malformed: words with one space between them.', {
      parameter: 'scope',
    });
  const jwks = await keysIn(app.jwks, isPublic);
  const flags = { deviceGrant, requirePushed, dpopBound, tokenExchange, ...(jwks && { jwks }) };
  const client = { name, scope, audience, resources, tokenFormat, redirectUris, ...flags };
  const flaw = clientFlaw(client) ?? appFlaw({ ...client, isPublic });
  if (flaw) throw clientRefusal(flaw);
  const [added, main] = await withClients(
    async (clients, by, { AUDIENCE }): Promise<[ClientRecord & Partial<NewSecret>, string]> => [
      await (isPublic
        ? clients.addPublic(client, by)
        : jwks
          ? clients.addWithKeys(client, by)
          : clients.add(client, by)),
      AUDIENCE,
    ],
  );
  const warnings = await warningsOf(added, main);
  const { clientSecret: secret } = added;
  return {
    json: {
      client_id: added.clientId,
      ...(secret !== undefined && { client_secret: secret }),
      scope: added.scope,
      audience: added.audience,
      resources: added.resources,
      ...(redirectUris.length > 0 && { redirect_uris: redirectUris }),
      ...(deviceGrant && { device_grant: true }),
      ...(requirePushed && { require_pushed_authorization_requests: true }),
      ...(dpopBound && { dpop_bound_access_tokens: true }),
      ...(tokenExchange && { token_exchange: true }),
      ...(warnings.length > 0 && { warnings }),
    },
    text: textOf(added, [
      ['', lastWords(secret, isPublic)],
      ...warnings.map((warning) => ['', `Warning: ${warning}.`] as const),
    ]),
  };
}

function textOf(
  { clientSecret, ...added }: ClientRecord & Partial<NewSecret>,
  more: readonly Parameters<typeof facts>[0][number][],
): string {
  return facts([
    ['client_id', added.clientId],
    ['client_secret', clientSecret],
    ['scope', added.scope],
    ['audience', added.audience.join(' ')],
    ['resources', listOf(added.resources ?? [])],
    ['redirect to', added.redirectUris.join(' ')],
    ['by device code', added.deviceGrant ? 'yes' : undefined],
    ['pushes requests', added.requirePushed ? 'always' : undefined],
    ['tokens', added.dpopBound ? 'bound to a key (DPoP)' : ''],
    ['exchanges tokens', added.tokenExchange ? 'yes' : undefined],
    ...more,
  ]);
}

function lastWords(secret: string | undefined, isPublic: boolean): string {
  if (secret !== undefined) return 'Nobody can show the secret to you again.';
  return isPublic
    ? 'It has no secret: its name is enough.'
    : 'It has no secret: it proves itself with its key.';
}

/** @throws Refusal for a file that cannot be read, or has no such keys in it */
async function keysIn(
  file: string | undefined,
  isPublic: boolean,
): Promise<readonly PublicJwk[] | undefined> {
  if (file === undefined) return undefined;
  const [{ readFile }, { readJwks }] = await Promise.all([
    import('node:fs/promises'),
    import('../../auth/clients/client-keys.js'),
  ]);
  try {
    const keys = isPublic ? undefined : readJwks(JSON.parse(await readFile(file, 'utf8')));
    if (keys) return keys;
  } catch {
    // the same sentence for every fault, so that the content of the file is not repeated
  }
  throw clientRefusal('jwks_invalid');
}

/** Warns now, because an API that hears "not active" of every token looks for the fault everywhere else. */
async function warningsOf(added: ClientRecord, main: string): Promise<string[]> {
  const { misspelledAudiences } = await import('../../auth/clients/audience-flaws.js');
  if (added.audience.length > 0) return misspelledAudiences([added], main);
  if (added.scope !== '' || added.redirectUris.length > 0 || added.deviceGrant) return [];
  return [
    `it has no audience, so it learns of its own tokens only; an API needs --audience, and the tokens of logins are for ${main}`,
  ];
}
