import { Option, type Command } from 'commander';
import type { UserRecord, UsersService } from '../../auth/users/users.service.js';
import { moment, table, type Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { judged } from '../style.js';
import type { RequestOrigin } from '../../auth/request-origin.js';
import { WrongUsage, type Refusal } from '../refusal.js';
import type { UserFlaw } from './user-refusal.js';
import { readSecret } from '../stdin.js';

const PASSWORD_STDIN = [
  '--password-stdin',
  'read the password from standard input, less one line end',
] as const;

/** The people who log in. */
export function user(program: Command, act: Act): void {
  const noun = program.command('user').description('the people who log in');
  noun
    .command('add')
    .description('adds a user')
    .argument('<name>')
    .option(...PASSWORD_STDIN)
    .addOption(
      once('--scope <scope>', 'what the user may do, space-separated, e.g. "cookies:eat keks:admin"'),
    )
    .addHelpText(
      ...examples(
        'keks user add alice --password-stdin < password.txt',
        'pass show keks/boss | keks user add boss --password-stdin --scope "cookies:eat keks:admin"',
      ),
    )
    .action(act(add));
  noun
    .command('passwd')
    .description("sets a new password and ends the user's sessions and API keys")
    .argument('<name>')
    .option(...PASSWORD_STDIN)
    .option('--keep-keys', "leave the user's API keys alive")
    .addOption(new Option('--keys', 'what it does anyway').conflicts('keepKeys').hideHelp())
    .addHelpText(
      ...examples(
        'keks user passwd alice --password-stdin < password.txt',
        'keks user passwd alice --password-stdin --keep-keys < password.txt',
      ),
    )
    .action(act(passwd));
  noun
    .command('disable')
    .description('refuses the user and revokes everything issued to them, at once')
    .argument('<name>')
    .addHelpText(...examples('keks user disable alice'))
    .action(act((name: string) => setDisabled(name, true)));
  noun
    .command('enable')
    .description('lets the user log in again; what was revoked stays revoked')
    .argument('<name>')
    .addHelpText(...examples('keks user enable alice'))
    .action(act((name: string) => setDisabled(name, false)));
  noun
    .command('list')
    .description('all users')
    .addHelpText(...examples('keks user list', 'keks user list --json'))
    .action(act(list));
}

interface PasswordOption {
  passwordStdin?: boolean;
}

async function add(name: string, options: PasswordOption & { scope?: string }): Promise<Answer> {
  const { parseScope } = await import('../../auth/scope.js');
  const scope = parseScope(options.scope ?? '');
  if (!scope) throw await refusalOf('scope_malformed', name);
  const password = await readPassword(options);
  const result = await withUsers((users, origin) => users.add(name, password, scope, origin));
  if ('flaw' in result) throw await refusalOf(result.flaw, name);
  return { json: publicOf(result.added), text: `Added ${result.added.name} (${result.added.id}).` };
}

async function passwd(name: string, options: PasswordOption & { keepKeys?: boolean }): Promise<Answer> {
  const keys = options.keepKeys !== true;
  const password = await readPassword(options);
  const result = await withUsers((users, origin) => users.setPassword(name, password, keys, origin));
  if ('flaw' in result) throw await refusalOf(result.flaw, name);
  const ended = keys ? 'sessions and API keys have' : 'sessions have';
  return {
    json: publicOf(result.changed),
    text: `${result.changed.name} has a new password; earlier ${ended} ended.`,
  };
}

async function readPassword({ passwordStdin }: PasswordOption): Promise<string> {
  if (passwordStdin) return readSecret('the password');
  throw new WrongUsage(
    'Say --password-stdin and give the password on standard input: it is never an argument.',
  );
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

async function list(): Promise<Answer> {
  const users = await withUsers((users) => users.list());
  const rows = users.map((one) => [
    one.name,
    one.scope,
    judged(one.disabled ? 'disabled' : 'enabled'),
    moment(one.createdAt),
    one.id,
  ]);
  return {
    json: users.map((one) => ({
      ...publicOf(one),
      disabled: one.disabled,
      created_at: one.createdAt.toISOString(),
    })),
    text: table(['NAME', 'SCOPE', 'STATE', 'CREATED', 'ID'], rows),
  };
}

function publicOf({ id, name, scope }: UserRecord): { id: string; name: string; scope: string } {
  return { id, name, scope };
}

async function withUsers<T>(work: (users: UsersService, origin: RequestOrigin) => Promise<T>): Promise<T> {
  const [{ withServices }, { UsersService }, { OPERATOR }] = await Promise.all([
    import('../services.js'),
    import('../../auth/users/users.service.js'),
    import('../../auth/request-origin.js'),
  ]);
  return withServices((services) => work(services.get(UsersService), OPERATOR));
}

async function refusalOf(flaw: UserFlaw, name: string): Promise<Refusal> {
  const { userRefusal } = await import('./user-refusal.js');
  return userRefusal(flaw, name);
}
