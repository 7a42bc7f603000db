import type { Command } from 'commander';
import type { InitialAccessToken } from '../../auth/registration/initial-access-token.entity.js';
import type { InitialAccessTokens } from '../../auth/registration/initial-access-tokens.js';
import type { Initiator } from '../../auth/audit/actor.js';
import { facts, moment, table, type Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal } from '../refusal.js';

const DAY = 86_400;

/** Initial access tokens: with them somebody registers clients, while REGISTRATION is `token` (RFC 7591 §1.2). */
export function initialToken(program: Command, act: Act): void {
  const noun = program
    .command('initial-token')
    .description('initial access tokens: who has one registers clients, where REGISTRATION=token');
  noun
    .command('add')
    .description('makes one and prints it, once')
    .argument('<label>', 'whom it is for')
    .addOption(once('--uses <number>', 'how many clients can register with it; 1 if absent'))
    .addOption(once('--days <number>', 'how long it is good; 7 if absent'))
    .addHelpText(
      ...examples(
        'keks initial-token add "for the bakery team"',
        'keks initial-token add "for our robots" --uses 20 --days 30',
      ),
    )
    .action(act(add));
  noun
    .command('list')
    .description('all of them, newest first; never a token itself')
    .addHelpText(...examples('keks initial-token list'))
    .action(act(list));
  noun
    .command('revoke')
    .description('takes one back; clients that registered with it stay')
    .argument('<id>')
    .addHelpText(...examples('keks initial-token revoke 5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11'))
    .action(act(revoke));
}

interface AddOptions {
  readonly uses?: string;
  readonly days?: string;
}

async function add(label: string, { uses = '1', days = '7' }: AddOptions): Promise<Answer> {
  const [{ isLabel }, most] = await Promise.all([
    import('../../auth/lists/label.js'),
    import('../../auth/registration/initial-access-tokens.js'),
  ]);
  if (!isLabel(label))
    throw new Refusal('invalid_request', 'A label has 1 to 100 characters, none of them invisible.', {
      parameter: 'label',
    });
  const made = await withTokens((tokens, by) =>
    tokens.make(
      {
        label,
        uses: whole('uses', uses, most.INITIAL_TOKEN_USES_MOST),
        expiresIn: whole('days', days, most.INITIAL_TOKEN_TTL_MOST / DAY) * DAY,
      },
      by,
    ),
  );
  return {
    json: { ...publicOf(made), initial_access_token: made.token },
    text: facts([
      ['id', made.id],
      ['initial_access_token', made.token],
      ['uses', String(made.usesLeft)],
      ['expires', moment(made.expiresAt)],
      ['', 'Nobody can show the token to you again.'],
    ]),
  };
}

async function list(): Promise<Answer> {
  const tokens = await withTokens((all) => all.list());
  const rows = tokens.map((one) => [
    one.id,
    one.label,
    String(one.usesLeft),
    moment(one.createdAt),
    moment(one.expiresAt),
  ]);
  return {
    json: tokens.map(publicOf),
    text: table(['ID', 'LABEL', 'USES_LEFT', 'CREATED', 'EXPIRES'], rows),
  };
}

async function revoke(id: string): Promise<Answer> {
  const { isUuid } = await import('../../auth/uuid.js');
  const revoked = isUuid(id) && (await withTokens((tokens, by) => tokens.revoke(id, by)));
  if (!revoked)
    throw new Refusal(
      'not_found',
      'There is no initial access token with this id: see "keks initial-token list".',
    );
  return { json: { id, revoked }, text: 'Nobody registers with it any more.' };
}

function whole(option: string, text: string, most: number): number {
  const value = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : most + 1;
  if (value > most)
    throw new Refusal('invalid_request', `--${option} is a whole number from 1 to ${most}.`, {
      parameter: option,
    });
  return value;
}

function publicOf(one: InitialAccessToken): object {
  return {
    id: one.id,
    label: one.label,
    uses_left: one.usesLeft,
    created_at: one.createdAt.toISOString(),
    expires_at: one.expiresAt.toISOString(),
  };
}

async function withTokens<T>(work: (tokens: InitialAccessTokens, by: Initiator) => Promise<T>): Promise<T> {
  const [{ withServices }, { InitialAccessTokens }, { OPERATOR }] = await Promise.all([
    import('../services.js'),
    import('../../auth/registration/initial-access-tokens.js'),
    import('../../auth/request-origin.js'),
  ]);
  return withServices((services) =>
    work(services.get(InitialAccessTokens), { actor: 'operator', origin: OPERATOR }),
  );
}
