import type { Found } from '../../auth/restore/restored-access.js';
import { facts } from '../answer.js';

/** A terminal shows this many, and then how many more there are; `--json` has them all. */
const SHOWN_MOST = 20;

export interface Kept {
  readonly passwords: boolean;
  readonly client_secrets: boolean;
  readonly signing_keys: boolean;
}

export interface Ended {
  readonly grants: number;
  readonly passwords: number;
  readonly client_secrets: number;
  readonly signing_keys: number;
}

interface About {
  readonly before: Date;
  readonly kept: Kept;
  readonly found: Found;
}

export function beforehand({ before, kept, found }: About): string {
  const ends = (count: number, keep: boolean): string => (keep ? `${count}, which are kept` : String(count));
  return [
    `To be ended, of what is older than ${before.toISOString()}:`,
    facts([
      ['logins, API keys, tokens', String(found.grants)],
      ['passwords', ends(found.passwords, kept.passwords)],
      ['client secrets', ends(found.client_secrets, kept.client_secrets)],
      ['signing keys', ends(found.signing_keys, kept.signing_keys)],
    ]),
    '',
    ...byHand({ before, kept, found }),
  ].join('\n');
}

export function afterwards(about: About, ended: Ended): string {
  const { before } = about;
  return [
    `Revoked: ${ended.grants}. Nothing that was granted before ${before.toISOString()} is alive.`,
    facts([
      ['passwords ended', String(ended.passwords)],
      ['client secrets ended', String(ended.client_secrets)],
      ['signing keys retired', String(ended.signing_keys)],
    ]),
    '',
    ...byHand(about),
    '',
    `To go on after an interruption, or to repeat it: --before ${before.toISOString()} ends nothing that is younger.`,
  ].join('\n');
}

/** What the database cannot know: who was disabled or lost scope since the backup. */
function byHand({ kept, found }: About): string[] {
  const users = found.users.map(({ name, scope }) => `${name} (${scope})`);
  const clients = found.clients.map(({ client_id: id, name, scope }) => `${id} ${name} (${scope})`);
  return [
    'Who had been disabled since the backup is enabled again, and who had been given less has it again. To go through by hand:',
    ...shown('user', users),
    ...shown('client', clients),
    kept.passwords
      ? 'Passwords that were changed since the backup are the old ones: "keks user passwd NAME" sets another.'
      : 'Nobody logs in before "keks user passwd NAME" has set a new password, administrators neither.',
    kept.client_secrets
      ? 'Client secrets that were retired since the backup work again.'
      : 'No client gets a token before "keks client rotate-secret CLIENT_ID" has made a new secret.',
  ];
}

function shown(kind: string, all: readonly string[]): string[] {
  const lines = all.slice(0, SHOWN_MOST).map((one) => `  ${kind} ${one}`);
  const more = all.length - lines.length;
  return more > 0 ? [...lines, `  and ${more} more, which --json lists`] : lines;
}

/** `revoked` still means the number of grants. */
export function publicEnd({ before, kept, found }: About, ended: Ended | undefined): object {
  const { users, clients, ...counts } = found;
  return {
    before: before.toISOString(),
    dry_run: ended === undefined,
    revoked: ended?.grants ?? 0,
    found: counts,
    ended: ended ?? { grants: 0, passwords: 0, client_secrets: 0, signing_keys: 0 },
    kept: Object.entries(kept)
      .filter(([, keep]) => keep)
      .map(([what]) => what),
    users,
    clients,
  };
}
