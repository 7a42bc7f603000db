import type { Command } from 'commander';
import type { OwnGrantRows } from '../../auth/grants/grants.sql.js';
import { moment, type Answer } from '../answer.js';
import { printList, type Listing } from '../listing.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal } from '../refusal.js';
import { livingLogins, userIdOf } from './living-grants.js';

type Login = OwnGrantRows['login'];

/** The logins of people: the grants that began with a password. */
export function session(program: Command, act: Act): void {
  const noun = program.command('session').description("people's logins");
  noun
    .command('list')
    .description("one person's living logins, newest first")
    .addOption(once('--user <name>', 'whose').makeOptionMandatory())
    .addHelpText(...examples('keks session list --user alice', 'keks session list --user alice --json'))
    .action(act(list));
  noun
    .command('end')
    .description('ends a login, with all of its tokens, at once')
    .argument('<id>')
    .addHelpText(...examples('keks session end 5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11'))
    .action(act(end));
}

async function list({ user }: { user: string }, command: Command): Promise<Answer> {
  const [{ withServices }, { sessionLabel }] = await Promise.all([
    import('../services.js'),
    import('../../auth/account/session-label.js'),
  ]);
  return withServices(async (services) => {
    const logins = livingLogins(services, await userIdOf(services, user));
    return printList(labelled(logins, sessionLabel), SESSIONS, command);
  });
}

async function* labelled(
  pages: AsyncIterable<readonly Login[]>,
  labelOf: (userAgent: string | null) => string | null,
): AsyncGenerator<readonly Login[]> {
  for await (const page of pages)
    yield page.map((one) => ({ ...one, label: one.label ?? labelOf(one.user_agent) }));
}

const SESSIONS: Listing<Login> = {
  of: 'logins',
  headings: ['ID', 'LABEL', 'IP', 'SCOPE', 'CREATED', 'LAST_USED', 'EXPIRES'],
  cells: (one) => [
    one.id,
    one.label ?? '',
    one.ip ?? '',
    one.scope,
    moment(one.created_at),
    one.last_used_at ? moment(one.last_used_at) : '',
    moment(one.expires_at),
  ],
  publicOf,
};

async function end(id: string): Promise<Answer> {
  const [{ withServices }, { GrantsService }, { OPERATOR }, { isUuid }] = await Promise.all([
    import('../services.js'),
    import('../../auth/grants/grants.service.js'),
    import('../../auth/request-origin.js'),
    import('../../auth/uuid.js'),
  ]);
  const by = { actor: 'operator', origin: OPERATOR };
  const ended =
    isUuid(id) && (await withServices((services) => services.get(GrantsService).revokeLogin(id, by)));
  if (!ended)
    throw new Refusal(
      'not_found',
      'There is no living login with this id: see "keks session list"; keys and clients end with "keks grant revoke".',
    );
  return { json: { id, ended }, text: 'It is dead, with all of its tokens.' };
}

/** Without owner and kind, which the command names. */
function publicOf(row: Login): object {
  const { id, scope, label, ip, user_agent, created_at, last_used_at, expires_at } = row;
  return { id, scope, label, ip, user_agent, created_at, last_used_at, expires_at };
}
