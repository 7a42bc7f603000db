import type { Command } from 'commander';
import type { Found, RestoredAccess } from '../../auth/restore/restored-access.js';
import type { Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { showingProgress } from '../progress.js';
import { WrongUsage } from '../refusal.js';
import { readTime, TIME_EXAMPLE } from '../time.js';
import { afterwards, beforehand, publicEnd, type Ended, type Kept } from './revoke-all-words.js';
import type { Services, Session } from '../services.js';

interface Options {
  readonly before: string;
  readonly keepPasswords?: boolean;
  readonly keepSecrets?: boolean;
  readonly keepSigningKeys?: boolean;
  readonly dryRun?: boolean;
}

/** For use after a backup was restored: what was ended since the backup lives again until this has run. */
export function revokeAll(program: Command, act: Act): void {
  program
    .command('revoke-all')
    .description(
      'ends whatever a restored backup brought back: logins, API keys, tokens, client secrets, passwords, signing keys',
    )
    .addOption(once('--before <time>', `RFC 3339, such as ${TIME_EXAMPLE}, or "now"`).makeOptionMandatory())
    .option('--keep-passwords', 'leaves passwords as they are: also those that were changed since the backup')
    .option('--keep-secrets', 'leaves client secrets: also those that were retired since the backup')
    .option('--keep-signing-keys', 'leaves signing keys: also one that was compromised since the backup')
    .option('--dry-run', 'says what it would end, and changes nothing')
    .addHelpText(
      ...examples(
        'keks revoke-all --before now --dry-run',
        'keks revoke-all --before now',
        'keks revoke-all --before 2026-01-31T12:00:00Z --keep-passwords --keep-secrets --keep-signing-keys',
      ),
    )
    .action(act(run));
}

async function run(options: Options): Promise<Answer> {
  const given = timeOf(options.before);
  const [{ withServices }, { RestoredAccess }, { queriesOf }] = await Promise.all([
    import('../services.js'),
    import('../../auth/restore/restored-access.js'),
    import('../session-queries.js'),
  ]);
  const kept: Kept = {
    passwords: options.keepPasswords ?? false,
    client_secrets: options.keepSecrets ?? false,
    signing_keys: options.keepSigningKeys ?? false,
  };
  return withServices(async (services: Services, { client }: Session) => {
    const access = services.get(RestoredAccess);
    // by the clock that every time in the database is of, not this machine's
    const before = given ?? (await access.now());
    const found = await access.find(before, queriesOf(client));
    const about = { before, kept, found };
    if (options.dryRun) return { json: publicEnd(about, undefined), text: beforehand(about) };
    if (process.stderr.isTTY) process.stderr.write(`${beforehand(about)}\n\n`);
    const ended = await end(services, access, { before: given, at: before, found, kept });
    return { json: publicEnd(about, ended), text: afterwards(about, ended) };
  });
}

interface Work {
  /** As it was said; undefined for now. */
  readonly before: Date | undefined;
  readonly at: Date;
  readonly found: Found;
  readonly kept: Kept;
}

/** First ends everything that can get new grants, then the grants, so that none slips through between. */
async function end(services: Services, access: RestoredAccess, work: Work): Promise<Ended> {
  const { RestoredBackup } = await import('../../auth/grants/restored-backup.js');
  const { kept, at } = work;
  return showingProgress(async (tell) => {
    const passwords = kept.passwords ? 0 : await access.endPasswords(at, (n) => tell(`passwords: ${n}`));
    const secrets = kept.client_secrets
      ? 0
      : await access.endClientSecrets(at, (n) => tell(`client secrets: ${n}`));
    const signingKeys = kept.signing_keys ? 0 : await access.replaceSigningKeys(work.found);
    const before = work.before ?? (await access.now());
    const grants = await services.get(RestoredBackup).revokeAll(before, (n) => tell(`revoked: ${n}`));
    return { grants, passwords, client_secrets: secrets, signing_keys: signingKeys };
  });
}

/** @returns undefined for now @throws WrongUsage */
function timeOf(text: string): Date | undefined {
  if (text === 'now') return undefined;
  const time = readTime(text);
  if (!time) throw new WrongUsage(`--before takes a time with its zone, such as ${TIME_EXAMPLE}, or "now".`);
  return time;
}
