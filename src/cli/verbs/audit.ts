import { InvalidArgumentError, Option, type Command } from 'commander';
import type { AuditQuestion } from '../../auth/audit/audit-log.js';
import type { AuditRow } from '../../auth/audit/audit.sql.js';
import type { Position } from '../../auth/lists/cursors.js';
import { moment, table, type Answer } from '../answer.js';
import { auditExport } from './audit-export.js';
import { examples, once, type Act } from '../noun.js';
import { WrongUsage } from '../refusal.js';
import type { Services } from '../services.js';
import { readTime, TIME_EXAMPLE } from '../time.js';

const LIMIT_MOST = 10_000;
const PAGE = 1_000;
const IDS = ['grant', 'token'] as const;

interface Options {
  readonly type?: string;
  readonly actor?: string;
  readonly user?: string;
  readonly client?: string;
  readonly grant?: string;
  readonly token?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
  readonly follow?: boolean;
}

/** What happened. */
export function audit(program: Command, act: Act): void {
  const noun = program
    .command('audit')
    .description('the last events of the audit log, the newest at the end')
    .addOption(once('--type <type>', 'such as login.refused'))
    .addOption(once('--actor <actor>', 'user:NAME, client:ID, holder or operator'))
    .addOption(once('--user <name>', 'done by a person, or to one'))
    .addOption(once('--client <client_id>', 'done by a client, or to one'))
    .addOption(once('--grant <id>', 'the life of one login, key or client'))
    .addOption(once('--token <id>', 'what happened to one token, by its id'))
    .addOption(time('--since <time>', 'nothing older than this'))
    .addOption(time('--until <time>', 'nothing younger than this'))
    .option('--limit <n>', 'so many events', limitOf, 100)
    .addOption(
      new Option(
        '--follow',
        'then go on with what happens, until interrupted; with --json one document a line',
      ).conflicts('until'),
    )
    .addHelpText(
      ...examples(
        'keks audit --type login.refused --limit 20',
        'keks audit --user alice --follow',
        `keks audit --since 2026-01-31T00:00:00Z --until ${TIME_EXAMPLE} --limit 10000`,
      ),
    )
    .action(act(run));
  auditExport(noun, act);
}

async function run(options: Options, command: Command): Promise<Answer> {
  const question = await questionOf(options);
  const { withServices } = await import('../services.js');
  const json = command.optsWithGlobals<{ json?: boolean }>().json === true;
  return withServices(async (services) => {
    const read = (): Promise<AuditRow[]> => last(services, question, options);
    if (options.follow !== true) {
      const events = await read();
      return { json: events.map(publicOf), text: linesOf(events) };
    }
    const { follow } = await import('./audit-follow.js');
    await follow(services, question, read, (fresh) => show(fresh, json));
    return { json: [], text: '' };
  });
}

async function last(
  services: Services,
  question: AuditQuestion,
  { limit, since, until }: Options,
): Promise<AuditRow[]> {
  const { AuditLog, upTo } = await import('../../auth/audit/audit-log.js');
  const log = services.get(AuditLog);
  const found: AuditRow[] = [];
  let rest: Position | undefined = until && upTo(until);
  do {
    const page = await log.page(question, Math.min(PAGE, limit - found.length), rest, since);
    found.push(...page.events);
    rest = page.rest;
  } while (rest && found.length < limit);
  return found.toReversed();
}

async function show(events: readonly AuditRow[], json: boolean): Promise<void> {
  const { print } = await import('../answer.js');
  for (const event of events) await print({ json: publicOf(event), text: lineOf(event).join('  ') }, json);
}

/** @throws WrongUsage */
async function questionOf(options: Options): Promise<AuditQuestion> {
  const { isUuid } = await import('../../auth/uuid.js');
  for (const name of IDS)
    if (options[name] !== undefined && !isUuid(options[name]))
      throw new WrongUsage(`--${name} takes an id, as the events show it: never a token.`);
  const { type, actor, user, client, grant, token } = options;
  return { type, actor, user, client_id: client, grant_id: grant, token_id: token };
}

function time(flags: string, description: string): Option {
  return new Option(flags, `${description}: RFC 3339, such as ${TIME_EXAMPLE}`).argParser(
    (text: string, before: Date | undefined) => {
      if (before) throw new InvalidArgumentError('It may be given once.');
      const read = readTime(text);
      if (!read) throw new InvalidArgumentError(`It takes a time with its zone, such as ${TIME_EXAMPLE}.`);
      return read;
    },
  );
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (!/^[1-9]\d*$/.test(text) || limit > LIMIT_MOST)
    throw new InvalidArgumentError(`It takes a number from 1 to ${LIMIT_MOST}.`);
  return limit;
}

function linesOf(events: readonly AuditRow[]): string {
  return table(['TIME', 'TYPE', 'ACTOR', 'IP', 'GRANT', 'DETAIL'], events.map(lineOf));
}

function lineOf(event: AuditRow): string[] {
  const { created_at: at, type, actor, ip, grant_id: grantId, detail } = event;
  return [moment(at), type, actor ?? '-', ip ?? '-', grantId ?? '-', JSON.stringify(detail)];
}

function publicOf(event: AuditRow): object {
  const { position: _, ...shown } = event;
  return shown;
}
