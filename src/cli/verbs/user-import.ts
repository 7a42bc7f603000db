import type { Command } from 'commander';
import type { ImportedUser, LineFlaw } from '../../auth/users/import-line.js';
import type { UserImport } from '../../auth/users/user-import.js';
import type { Answer } from '../answer.js';
import { linesOf } from '../lines.js';
import { examples, type Act } from '../noun.js';
import { showingProgress } from '../progress.js';
import { WHY } from './user-import-words.js';

const BATCH = 500;
/** This many refused lines are shown to people; `--json` has all of them. */
const SHOWN = 50;
/** NIST and OWASP want a higher cost. It is reported, not refused. */
const WEAK_COST = 10;

interface Refused {
  readonly line: number;
  readonly reason: LineFlaw;
}

interface Report {
  lines: number;
  imported: number;
  present: number;
  weak: number;
  readonly refused: Refused[];
}

/** `keks user import` */
export function userImport(noun: Command, act: Act): void {
  noun
    .command('import')
    .description('brings users along with the bcrypt hashes of another system, one JSON document a line')
    .argument('<file>', '"-" for standard input')
    .option('--dry-run', 'say what would be done, and do nothing')
    .addHelpText(...examples('keks user import users.jsonl --dry-run', 'keks user import users.jsonl'))
    .action(act(run));
}

async function run(file: string, { dryRun = false }: { dryRun?: boolean }): Promise<Answer> {
  const [{ withServices }, { UserImport }, { importedUser }] = await Promise.all([
    import('../services.js'),
    import('../../auth/users/user-import.js'),
    import('../../auth/users/import-line.js'),
  ]);
  const report: Report = { lines: 0, imported: 0, present: 0, weak: 0, refused: [] };
  await withServices((services) =>
    showingProgress(async (tell) => {
      const users = services.get(UserImport);
      const seen = new Seen();
      let batch: Numbered[] = [];
      for await (const text of linesOf(file)) {
        report.lines += 1;
        if (text === '') continue;
        const user = typeof text === 'string' ? importedUser(text) : text.flaw;
        const flaw = typeof user === 'string' ? user : seen.flawOf(user);
        if (flaw !== undefined) report.refused.push({ line: report.lines, reason: flaw });
        else if (typeof user !== 'string') batch.push({ line: report.lines, user });
        if (batch.length < BATCH) continue;
        await bringIn(users, batch, report, dryRun);
        batch = [];
        tell(`${report.lines} lines read, ${report.imported} users ${dryRun ? 'could be ' : ''}imported`);
      }
      await bringIn(users, batch, report, dryRun);
    }),
  );
  return answerOf(report, dryRun);
}

interface Numbered {
  readonly line: number;
  readonly user: ImportedUser;
}

/** Names and ids of earlier lines. */
class Seen {
  private readonly names = new Set<string>();
  private readonly ids = new Set<string>();

  flawOf({ folded, id }: ImportedUser): LineFlaw | undefined {
    if (this.names.has(folded)) return 'repeated_name';
    if (id !== null && this.ids.has(id)) return 'repeated_id';
    this.names.add(folded);
    if (id !== null) this.ids.add(id);
    return undefined;
  }
}

async function bringIn(
  users: UserImport,
  batch: readonly Numbered[],
  report: Report,
  dryRun: boolean,
): Promise<void> {
  if (batch.length === 0) return;
  const wanted = batch.map(({ user }) => user);
  const { added, present } = await (dryRun ? users.look(wanted) : users.add(wanted));
  for (const { line, user } of batch)
    if (added.has(user.folded)) {
      report.imported += 1;
      if (user.hash !== null && user.cost < WEAK_COST) report.weak += 1;
    } else if (present.has(user.folded)) report.present += 1;
    else report.refused.push({ line, reason: 'id_taken' });
}

function answerOf({ refused, ...counts }: Report, dryRun: boolean): Answer {
  const all = refused.toSorted((a, b) => a.line - b.line);
  const { lines, imported, present, weak } = counts;
  const text = [
    `${lines} lines: ${imported} ${dryRun ? 'can be imported' : 'imported'}, ${present} there already and left as they are, ${all.length} refused.`,
    ...all.slice(0, SHOWN).map(({ line, reason }) => `line ${line}: ${WHY[reason]}`),
    ...(all.length > SHOWN ? [`... and ${all.length - SHOWN} more: --json has all of them.`] : []),
    ...(weak > 0
      ? [
          `${weak} have hashes of a cost below ${WEAK_COST}, which are quick to guess if they are stolen, until their users log in.`,
        ]
      : []),
    ...(dryRun ? ['Nothing was done.'] : []),
  ].join('\n');
  const told = all.map(({ line, reason }) => ({ line, reason, why: WHY[reason] }));
  return { json: { dry_run: dryRun, ...counts, refused: told }, text, exitCode: all.length > 0 ? 1 : 0 };
}
