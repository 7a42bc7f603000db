import type { Command } from 'commander';
import type { Answer } from './answer.js';
import { examples, once, type Act } from './noun.js';
import { showingProgress } from './progress.js';
import { WrongUsage } from './refusal.js';

/** After a backup was restored: what was revoked since it was made lives again, until this has run. */
export function revokeAll(program: Command, act: Act): void {
  program
    .command('revoke-all')
    .description('revokes every login, API key and token granted before a time: after a backup was restored')
    .addOption(
      once('--before <time>', 'RFC 3339, such as 2026-01-31T12:00:00Z, or "now"').makeOptionMandatory(),
    )
    .addHelpText(...examples('keks revoke-all --before now', 'keks revoke-all --before 2026-01-31T12:00:00Z'))
    .action(act(run));
}

async function run({ before: text }: { before: string }): Promise<Answer> {
  const before = timeOf(text);
  const [{ withServices }, { RestoredBackup }] = await Promise.all([
    import('./services.js'),
    import('../auth/grants/restored-backup.js'),
  ]);
  const revoked = await showingProgress((tell) =>
    withServices((services) =>
      services.get(RestoredBackup).revokeAll(before, (count) => tell(`revoked: ${count}`)),
    ),
  );
  return {
    json: { before: before.toISOString(), revoked },
    text: `Revoked: ${revoked}. Nothing that was granted before ${before.toISOString()} is alive.`,
  };
}

/** @throws WrongUsage */
function timeOf(text: string): Date {
  if (text === 'now') return new Date();
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? new Date(text)
    : undefined;
  if (!time || Number.isNaN(time.getTime()))
    throw new WrongUsage('--before takes a time with its zone, such as 2026-01-31T12:00:00Z, or "now".');
  return time;
}
