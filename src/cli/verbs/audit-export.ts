import type { Command } from 'commander';
import type { AuditRow } from '../../auth/audit/audit.sql.js';
import type { Position } from '../../auth/lists/cursors.js';
import type { Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { WrongUsage } from '../refusal.js';

const PAGE = 1_000;
const FIRST: Position = ['-infinity', '00000000-0000-0000-0000-000000000000'];
/** The form of `--after`: a time in UTC as PostgreSQL writes it, and an id. */
const CURSOR =
  /^(\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** An event gets its time before it is committed. So an older event may still turn up among younger ones. */
const LATE_MS = 60_000;

/** Exports the whole log, for people who keep it elsewhere. */
export function auditExport(noun: Command, act: Act): void {
  noun
    .command('export')
    .description('the whole log, the oldest first, one JSON document a line; the last minute comes next time')
    .addOption(once('--after <cursor>', 'go on behind this one: the `cursor` of the last line you have'))
    .addHelpText(
      ...examples(
        'keks audit export',
        'keks audit export --after 2026-01-31T23:59:59.123456Z_8b0f0b0e-7d0a-4b52-9a55-0c8a4b1f2d3e',
      ),
    )
    .action(act(run));
}

async function run({ after }: { after?: string }, command: Command): Promise<Answer> {
  const others = Object.keys(command.parent?.opts() ?? {}).filter(
    (name) => command.parent?.getOptionValueSource(name) === 'cli',
  );
  if (others.length > 0)
    throw new WrongUsage(`It exports everything, without --${others.join(' and --')}: pick afterwards.`);
  const from = after === undefined ? FIRST : positionOf(after);
  const [{ withServices }, { AuditLog }, { Clock }, { print }] = await Promise.all([
    import('../services.js'),
    import('../../auth/audit/audit-log.js'),
    import('../../database/clock.js'),
    import('../answer.js'),
  ]);
  await withServices(async (services, { config }) => {
    const log = services.get(AuditLog);
    const upto = services.get(Clock).now() - LATE_MS - 4 * config.DATABASE_TIMEOUT;
    const unread = new AbortController();
    process.stdout.once('error', () => unread.abort());
    let rest: Position | undefined = from;
    while (rest && !unread.signal.aborted) {
      const page = await log.tail({}, PAGE, rest);
      const old = page.filter(({ created_at: at }) => at.getTime() < upto);
      if (old.length > 0) await print({ json: undefined, text: old.map(lineOf).join('\n') }, false);
      rest = old.length === PAGE ? old.at(-1)?.position : undefined;
    }
  });
  return { json: undefined, text: '' };
}

/** Each line says where the next one begins, so an export that was cut off can go on after its last whole line. */
function lineOf({ position, ...event }: AuditRow): string {
  const [at = '', id = ''] = position;
  return JSON.stringify({ ...event, cursor: `${at.replace(' ', 'T').replace(/\+00(?::00)?$/, 'Z')}_${id}` });
}

/** @throws WrongUsage */
function positionOf(cursor: string): Position {
  const [, at = '', id = ''] = CURSOR.exec(cursor) ?? [];
  if (id === '' || Number.isNaN(Date.parse(at)))
    throw new WrongUsage('--after takes the "cursor" of a line that an export has printed.');
  return [at, id];
}
