import { Option, type Command } from 'commander';
import { moment, type Answer } from '../answer.js';
import { PAGE, printList, type Listing } from '../listing.js';
import { examples, once, type Act } from '../noun.js';
import { judged } from '../style.js';
import { userImport } from './user-import.js';
import { reset } from './user-reset.js';
import { newPassword, passwordOptions, told, type PasswordOptions } from './user-password.js';
import type { UserRecord } from '../../auth/users/users.service.js';
import { detailsOf, publicOf, refusalOf, setScope, show, withUsers } from './user-record.js';

/** The people who log in. */
export function user(program: Command, act: Act): void {
  const noun = program.command('user').description('the people who log in');
  passwordOptions(noun.command('add').description('adds a user').argument('<name>'))
    .addOption(
      once('--scope <scope>', 'what the user may do, space-separated, e.g. "cookies:eat keks:admin"'),
    )
    .addHelpText(
      ...examples(
        'keks user add alice',
        'keks user add alice --generate --scope cookies:eat',
        'pass show keks/boss | keks user add boss --password-stdin --scope "cookies:eat keks:admin"',
      ),
    )
    .action(act(add));
  passwordVerb(noun, act);
  userImport(noun, act);
  stateVerbs(noun, act);
  readingVerbs(noun, act);
}

function passwordVerb(noun: Command, act: Act): void {
  passwordOptions(
    noun
      .command('passwd')
      .description("sets a new password and ends the user's sessions and API keys")
      .argument('<name>'),
  )
    .option('--keep-keys', "leave the user's API keys alive")
    .addOption(new Option('--keys', 'what it does anyway').conflicts('keepKeys').hideHelp())
    .addHelpText(
      ...examples(
        'keks user passwd alice',
        'keks user passwd alice --generate',
        'keks user passwd alice --password-stdin --keep-keys < password.txt',
      ),
    )
    .action(act(passwd));
  noun
    .command('reset')
    .description('prints a link by which the user chooses a new password, once')
    .argument('<name|id>')
    .addHelpText(...examples('keks user reset alice', 'keks user reset alice --json'))
    .action(act(reset));
}

/** What changes what a user may do. */
function stateVerbs(noun: Command, act: Act): void {
  noun
    .command('set-scope')
    .description('says what the user may do from now on; logins and keys that may do more end, at once')
    .argument('<name>')
    .argument('<scope>', 'all of it, space-separated; "" for nothing')
    .addHelpText(...examples('keks user set-scope alice "cookies:eat keks:admin"'))
    .action(act(setScope));
  noun
    .command('disable')
    .description('refuses the user and revokes everything issued to them, at once')
    .argument('<name>')
    .addHelpText(...examples('keks user disable alice'))
    .action(act((name: string) => setDisabled(name, true)));
  noun
    .command('enable')
    .description('lets the user log in again, also after too many failures; what was revoked stays revoked')
    .argument('<name>')
    .addHelpText(...examples('keks user enable alice'))
    .action(act((name: string) => setDisabled(name, false)));
}

function readingVerbs(noun: Command, act: Act): void {
  noun
    .command('show')
    .description('one user')
    .argument('<name|id>')
    .addHelpText(...examples('keks user show alice', 'keks user show alice --json'))
    .action(act(show));
  noun
    .command('list')
    .description('all users')
    .addHelpText(...examples('keks user list', 'keks user list --json'))
    .action(act(list));
}

async function add(name: string, options: PasswordOptions & { scope?: string }): Promise<Answer> {
  const { parseScope } = await import('../../auth/scope.js');
  const scope = parseScope(options.scope ?? '');
  if (!scope) throw await refusalOf('scope_malformed', name);
  const given = await newPassword(options);
  const result = await withUsers((users, origin) => users.add(name, given.password, scope, origin));
  if ('flaw' in result) throw await refusalOf(result.flaw, name);
  return told(publicOf(result.added), `Added ${result.added.name} (${result.added.id}).`, given);
}

async function passwd(name: string, options: PasswordOptions & { keepKeys?: boolean }): Promise<Answer> {
  const keys = options.keepKeys !== true;
  const given = await newPassword(options);
  const result = await withUsers((users, origin) => users.setPassword(name, given.password, keys, origin));
  if ('flaw' in result) throw await refusalOf(result.flaw, name);
  const ended = keys ? 'sessions and API keys have' : 'sessions have';
  const text = `${result.changed.name} has a new password; earlier ${ended} ended.`;
  return told(publicOf(result.changed), text, given);
}

async function setDisabled(name: string, disabled: boolean): Promise<Answer> {
  const record = await withUsers((users, origin) => users.setDisabled(name, disabled, origin));
  if (!record) throw await refusalOf('unknown', name);
  return {
    json: { ...publicOf(record), disabled: record.disabled },
    text: disabled
      ? `${record.name} is disabled; every token, session and key of theirs is dead.`
      : `${record.name} may log in again.`,
  };
}

const USERS: Listing<UserRecord> = {
  of: 'users',
  headings: ['NAME', 'SCOPE', 'STATE', 'CREATED', 'ID'],
  cells: ({ name, scope, disabled, createdAt, id }) => [
    name,
    scope,
    judged(disabled ? 'disabled' : 'enabled'),
    moment(createdAt),
    id,
  ],
  publicOf: detailsOf,
};

function list(_: object, command: Command): Promise<Answer> {
  return withUsers((users) => printList(users.pages(PAGE), USERS, command));
}
