import { Argument, type Command } from 'commander';
import type { ClientRecord } from '../../auth/clients/clients.service.js';
import { facts, moment, type Answer } from '../answer.js';
import { PAGE, printList, type Listing } from '../listing.js';
import { examples, type Act } from '../noun.js';
import { judged } from '../style.js';
import { Refusal } from '../refusal.js';
import { addVerb } from './client-add.js';
import { listOf, publicOf, UNKNOWN, withClients } from './client-record.js';
import { clientRefusal } from './client-refusal.js';
import { resourcesVerb } from './client-resources.js';

/** The systems that get tokens for themselves, and the APIs that ask about them. */
export function client(program: Command, act: Act): void {
  const noun = program
    .command('client')
    .description('the systems that get tokens, and the APIs that ask about them');
  addVerb(noun, act);
  noun
    .command('list')
    .description('all clients, the newest first')
    .addHelpText(...examples('keks client list'))
    .action(act(list));
  noun
    .command('show')
    .description('one client, and when its secrets were made')
    .argument('<client_id>')
    .addHelpText(...examples('keks client show c-0123456789abcdef01234567'))
    .action(act(show));
  changingVerbs(noun, act);
  resourcesVerb(noun, act);
}

function changingVerbs(noun: Command, act: Act): void {
  noun
    .command('rotate-secret')
    .description('adds a second secret and prints it, once; the first lives on until it is retired')
    .argument('<client_id>')
    .option('--retire-old', 'instead: takes the older secret back, once the new one is in use everywhere')
    .addHelpText(
      ...examples(
        'keks client rotate-secret c-0123456789abcdef01234567',
        'keks client rotate-secret c-0123456789abcdef01234567 --retire-old',
      ),
    )
    .action(act(rotateSecret));
  noun
    .command('disable')
    .description('refuses the client and revokes everything issued to it, at once')
    .argument('<client_id>')
    .addHelpText(...examples('keks client disable c-0123456789abcdef01234567'))
    .action(act((id: string) => setDisabled(id, true)));
  noun
    .command('enable')
    .description('lets the client in again; what was revoked stays revoked')
    .argument('<client_id>')
    .addHelpText(...examples('keks client enable c-0123456789abcdef01234567'))
    .action(act((id: string) => setDisabled(id, false)));
  noun
    .command('set-dpop')
    .description('whether it gets only tokens that are bound to a key; those that it has live on')
    .argument('<client_id>')
    .addArgument(new Argument('<state>').choices(['on', 'off']))
    .addHelpText(...examples('keks client set-dpop c-0123456789abcdef01234567 on'))
    .action(act(setDpop));
  noun
    .command('set-exchange')
    .description(
      'whether it may exchange tokens that it was sent for tokens for its resources; if not, what it made ends',
    )
    .argument('<client_id>')
    .addArgument(new Argument('<state>').choices(['on', 'off']))
    .addHelpText(...examples('keks client set-exchange c-0123456789abcdef01234567 on'))
    .action(act(setExchange));
}

const CLIENTS: Listing<ClientRecord> = {
  of: 'clients',
  headings: ['CLIENT_ID', 'NAME', 'SCOPE', 'AUDIENCE', 'RESOURCES', 'FORMAT', 'STATE', 'CREATED'],
  cells: (one) => [
    one.clientId,
    one.selfRegistered ? `${one.name} (self-registered)` : one.name,
    one.scope,
    one.audience.join(' '),
    one.resources ? listOf(one.resources) : 'any',
    one.tokenFormat,
    judged(one.disabled ? 'disabled' : 'enabled'),
    moment(one.createdAt),
  ],
  publicOf,
};

function list(_: object, command: Command): Promise<Answer> {
  return withClients((clients) => printList(clients.pages(PAGE), CLIENTS, command));
}

async function show(id: string): Promise<Answer> {
  const [one, secrets] = await withClients((clients) => Promise.all([clients.find(id), clients.secrets(id)]));
  if (!one) throw new Refusal('not_found', UNKNOWN);
  return {
    json: {
      ...publicOf(one),
      secrets: secrets.map((secret) => ({ id: secret.id, created_at: secret.createdAt.toISOString() })),
    },
    text: facts([
      ['client_id', one.clientId],
      ['name', one.name],
      ['registered', one.selfRegistered ? 'by itself: nobody here has checked it' : 'by an administrator'],
      ['scope', one.scope],
      ['audience', one.audience.join(' ')],
      ['resources', one.resources ? listOf(one.resources) : 'any'],
      ['redirect to', one.redirectUris.join(' ')],
      ['by device code', one.deviceGrant ? 'yes' : undefined],
      ['pushes requests', one.requirePushed ? 'always' : undefined],
      ['token format', one.tokenFormat],
      ['tokens', one.dpopBound ? 'bound to a key (DPoP)' : ''],
      ['exchanges tokens', one.tokenExchange ? 'yes' : undefined],
      ['state', judged(one.disabled ? 'disabled' : 'enabled')],
      ['created', moment(one.createdAt)],
      ...secrets.map(({ createdAt }) => ['secret of', moment(createdAt)] as const),
    ]),
  };
}

async function rotateSecret(id: string, { retireOld = false }: { retireOld?: boolean }): Promise<Answer> {
  if (retireOld) return retire(id);
  const added = await withClients((clients, by) => clients.addSecret(id, by));
  if ('flaw' in added) {
    if (added.flaw === 'unknown') throw new Refusal('not_found', UNKNOWN);
    if (added.flaw === 'public')
      throw new Refusal(
        'invalid_request',
        'This client is a public one: it has no secret, and cannot have one.',
      );
    throw new Refusal(
      'invalid_request',
      'Two secrets live already: retire the older one first, with --retire-old.',
    );
  }
  return {
    json: { client_id: id, client_secret: added.clientSecret, secret_id: added.id },
    text: facts([
      ['client_id', id],
      ['client_secret', added.clientSecret],
      ['', 'The one before lives on: once nobody uses it any more, run this again with --retire-old.'],
    ]),
  };
}

async function retire(id: string): Promise<Answer> {
  const retired = await withClients(async (clients, by) =>
    (await clients.find(id)) ? clients.retireSecrets(id, 'old', by) : undefined,
  );
  if (retired === undefined) throw new Refusal('not_found', UNKNOWN);
  if (retired === 0)
    throw new Refusal(
      'invalid_request',
      'Only one secret lives: make a new one first, without --retire-old.',
    );
  return { json: { client_id: id, retired }, text: `The older secret of ${id} is dead.` };
}

async function setDisabled(id: string, disabled: boolean): Promise<Answer> {
  const changed = await withClients((clients, by) => clients.change(id, { disabled }, by));
  if (!changed) throw new Refusal('not_found', UNKNOWN);
  if ('flaw' in changed) throw clientRefusal(changed.flaw);
  return {
    json: publicOf(changed),
    text: disabled ? `${id} is disabled; every token of it is dead.` : `${id} may authenticate again.`,
  };
}

async function setDpop(id: string, state: 'on' | 'off'): Promise<Answer> {
  const changed = await withClients((clients, by) => clients.change(id, { dpopBound: state === 'on' }, by));
  if (!changed) throw new Refusal('not_found', UNKNOWN);
  if ('flaw' in changed) throw clientRefusal(changed.flaw);
  return {
    json: publicOf(changed),
    text: changed.dpopBound
      ? `${id} gets only tokens that are bound to a key from now on.`
      : `${id} gets bearer tokens, too.`,
  };
}

async function setExchange(id: string, state: 'on' | 'off'): Promise<Answer> {
  const tokenExchange = state === 'on';
  const changed = await withClients((clients, by) => clients.change(id, { tokenExchange }, by));
  if (!changed) throw new Refusal('not_found', UNKNOWN);
  if ('flaw' in changed) throw clientRefusal(changed.flaw);
  return {
    json: publicOf(changed),
    text: changed.tokenExchange
      ? `${id} may exchange tokens for ${listOf(changed.resources ?? []) || 'its own API only'}.`
      : `${id} may not exchange tokens. If it could, its tokens are dead, and those in which it acts.`,
  };
}
