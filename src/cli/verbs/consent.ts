import type { Command } from 'commander';
import type { ConsentItem } from '../../auth/authorize/consents.schemas.js';
import type { ConsentsService } from '../../auth/authorize/consents.service.js';
import { moment, type Answer } from '../answer.js';
import { printList, type Listing } from '../listing.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal } from '../refusal.js';
import { userIdOf } from './living-grants.js';

interface Whose {
  readonly user: string;
}

/** What people have allowed other people's programs. */
export function consent(program: Command, act: Act): void {
  const noun = program.command('consent').description('what people have allowed apps and devices');
  noun
    .command('list')
    .description('the apps that may act for one person, the last one let in first')
    .addOption(once('--user <name>', 'whose').makeOptionMandatory())
    .addHelpText(...examples('keks consent list --user alice', 'keks consent list --user alice --json'))
    .action(act(list));
  noun
    .command('end')
    .description('takes from an app all that one person has allowed it, at once')
    .argument('<client_id>')
    .addOption(once('--user <name>', 'whose').makeOptionMandatory())
    .addHelpText(...examples('keks consent end c-0123456789abcdef01234567 --user alice'))
    .action(act(end));
}

async function list({ user }: Whose, command: Command): Promise<Answer> {
  const { itemOf } = await import('../../auth/authorize/consents.schemas.js');
  return withConsents(user, (consents, userId) => {
    async function* all(): AsyncGenerator<readonly ConsentItem[]> {
      yield (await consents.list(userId)).map(itemOf);
    }
    return printList(all(), CONSENTS, command);
  });
}

const CONSENTS: Listing<ConsentItem> = {
  of: 'consents',
  headings: ['CLIENT', 'NAME', 'SCOPE', 'REMEMBERED', 'CREATED', 'LAST_USED', 'EXPIRES'],
  cells: (one) => [
    one.client_id,
    one.name,
    one.scope,
    one.remembered ? 'yes' : '',
    moment(new Date(one.created_at)),
    one.last_used_at === null ? '' : moment(new Date(one.last_used_at)),
    moment(new Date(one.expires_at)),
  ],
  publicOf: (one) => one,
};

async function end(clientId: string, { user }: Whose): Promise<Answer> {
  const { OPERATOR } = await import('../../auth/request-origin.js');
  const by = { actor: 'operator', origin: OPERATOR };
  const ended = await withConsents(user, (consents, userId) => consents.end(userId, clientId, by));
  if (!ended)
    throw new Refusal(
      'not_found',
      'This person has allowed such a client nothing that still counts: see "keks consent list".',
    );
  return {
    json: { client_id: clientId, ended },
    text: 'All that it got in the name of this person is dead, and it has to ask again.',
  };
}

/** @throws Refusal if there is no such person */
async function withConsents<T>(
  user: string,
  work: (consents: ConsentsService, userId: string) => Promise<T>,
): Promise<T> {
  const [{ withServices }, { ConsentsService }] = await Promise.all([
    import('../services.js'),
    import('../../auth/authorize/consents.service.js'),
  ]);
  return withServices(async (services) =>
    work(services.get(ConsentsService), await userIdOf(services, user)),
  );
}
