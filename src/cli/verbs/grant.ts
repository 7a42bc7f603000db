import type { Command } from 'commander';
import type { GrantOwner } from '../../auth/grants/grants.service.js';
import type { GrantRow } from '../../auth/grants/grants.sql.js';
import { moment, type Answer } from '../answer.js';
import { printList, type Listing } from '../listing.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal, WrongUsage } from '../refusal.js';
import type { Services } from '../services.js';
import { livingGrants, userIdOf } from './living-grants.js';

interface ListOptions {
  readonly user?: string;
  readonly client?: string;
}

/** Why tokens exist: logins, API keys and clients. */
export function grant(program: Command, act: Act): void {
  const noun = program.command('grant').description('why tokens exist: logins, API keys and clients');
  noun
    .command('list')
    .description('living grants, newest first')
    .addOption(once('--user <name>', 'those of one person'))
    .addOption(once('--client <client_id>', 'that of one client'))
    .addHelpText(...examples('keks grant list', 'keks grant list --user alice'))
    .action(act(list));
  noun
    .command('revoke')
    .description('ends a grant, with all of its tokens, at once')
    .argument('<id>')
    .addHelpText(...examples('keks grant revoke 5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11'))
    .action(act(revoke));
}

const GRANTS: Listing<GrantRow> = {
  of: 'grants',
  headings: ['ID', 'KIND', 'OF', 'SCOPE', 'LABEL', 'CREATED', 'LAST_USED'],
  cells: (one) => [
    one.id,
    one.kind,
    one.username ?? one.client_id ?? '',
    one.scope,
    one.label ?? one.user_agent ?? '',
    moment(one.created_at),
    one.last_used_at ? moment(one.last_used_at) : '',
  ],
  publicOf: (row) => {
    const { position: _, ...shown } = row;
    return shown;
  },
};

async function list(options: ListOptions, command: Command): Promise<Answer> {
  if (options.user !== undefined && options.client !== undefined)
    throw new WrongUsage('Say either --user or --client: no grant belongs to both.');
  const { withServices } = await import('../services.js');
  return withServices(async (services) =>
    printList(livingGrants(services, await ownerOf(services, options)), GRANTS, command),
  );
}

async function ownerOf(services: Services, { user, client }: ListOptions): Promise<GrantOwner> {
  return user === undefined ? { clientId: client } : { userId: await userIdOf(services, user) };
}

async function revoke(id: string): Promise<Answer> {
  const [{ withServices }, { GrantsService }, { OPERATOR }, { isUuid }] = await Promise.all([
    import('../services.js'),
    import('../../auth/grants/grants.service.js'),
    import('../../auth/request-origin.js'),
    import('../../auth/uuid.js'),
  ]);
  const by = { actor: 'operator', origin: OPERATOR };
  const revoked =
    isUuid(id) && (await withServices((services) => services.get(GrantsService).revoke(id, by)));
  if (!revoked)
    throw new Refusal('not_found', 'There is no living grant with this id: see "keks grant list".');
  return { json: { id, revoked }, text: 'It is dead, with all of its tokens.' };
}
