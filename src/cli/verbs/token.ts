import { Option, type Command } from 'commander';
import type { Explanation } from '../../auth/tokens/token-explainer.js';
import type { Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal } from '../refusal.js';
import { readSecret } from '../stdin.js';
import { UNKNOWN } from './client-record.js';
import { issue } from './token-issue.js';
import { story } from './token-story.js';
import { flawText, jsonOf, textOf } from './token-explanation.js';
import { toldTo } from './token-for-client.js';

/** The token is not ours, or too damaged to tell. There is nothing to revoke. */
const NOT_OURS = new Set(['spelling', 'checksum', 'key', 'mac', 'malformed', 'forged', 'unknown']);
const DEAD = new Set(['revoked', 'grant_revoked', 'expired', 'grant_expired']);

/** Verbs for tokens, which come on standard input. The only token that is ever printed is one that was issued here. */
export function token(program: Command, act: Act): void {
  const noun = program
    .command('token')
    .description('tokens: what they are, their end, and one for somebody else');
  noun
    .command('explain')
    .description('says what a token is, and every reason why it is refused')
    .addOption(once('--for <client_id>', 'whether this API is told that it is good'))
    .addHelpText(
      ...examples(
        'keks token explain < token.txt',
        'keks token explain --for c-0123456789abcdef01234567 < token.txt',
      ),
    )
    .action(act(explain));
  noun
    .command('story')
    .description('tells the life of a token, from its issue to its end, and of the grant it belongs to')
    .argument('[id]', 'of a token or a grant; without it, or with "-", the token on standard input')
    .addHelpText(
      ...examples('keks token story < token.txt', 'keks token story 5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11'),
    )
    .action(act(story));
  noun
    .command('revoke')
    .description('takes a token back at once; of a refresh token or an API key the whole grant')
    .addHelpText(...examples('keks token revoke < token.txt'))
    .action(act(revoke));
  noun
    .command('issue')
    .description('issues a token without password or secret, and prints it, once; the audit log says so')
    .addOption(once('--user <name>', 'for a person'))
    .addOption(once('--client <client_id>', 'for a client'))
    .addOption(once('--scope <scope>', 'what it may carry, space-separated; all that was granted if absent'))
    .addOption(new Option('--format <format>', "of a person's token").choices(['opaque', 'jwt']))
    .addHelpText(
      ...examples(
        'keks token issue --user alice --scope cookies:eat',
        'keks token issue --client c-0123456789abcdef01234567',
      ),
    )
    .action(act(issue));
}

async function explain({ for: api }: { for?: string }): Promise<Answer> {
  const text = await readSecret('the token');
  const [{ TokenExplainer }, { withServices }, { ClientsService }] = await Promise.all([
    import('../../auth/tokens/token-explainer.js'),
    import('../services.js'),
    import('../../auth/clients/clients.service.js'),
  ]);
  const [explanation, asker] = await withServices(async (services) => [
    await services.get(TokenExplainer).explain(text),
    api === undefined ? undefined : await services.get(ClientsService).find(api),
  ]);
  if (api !== undefined && !asker) throw new Refusal('not_found', UNKNOWN, { parameter: 'for' });
  const told = asker && (await toldTo(asker, explanation));
  return {
    json: { ...jsonOf(explanation, text), ...(told && { for: told.json }) },
    text: told ? `${textOf(explanation, text)}\n${told.text}` : textOf(explanation, text),
  };
}

/**
 * A token that is dead already counts as revoked. One that was never ours does not, because then the token that was meant
 * lives on.
 */
async function revoke(): Promise<Answer> {
  const text = await readSecret('the token');
  const after = await revokeAndExplain(text);
  const notOurs = after.flaws.find((flaw) => NOT_OURS.has(flaw));
  if (notOurs) throw new Refusal('invalid_request', `Nothing was revoked. ${flawText(notOurs, after, text)}`);
  if (!after.flaws.some((flaw) => DEAD.has(flaw)))
    throw new Refusal(
      'unsupported_token_type',
      'Nothing was revoked: a client secret is retired with "keks client rotate-secret".',
    );
  return {
    json: { revoked: true, kind: after.kind, token_id: after.facts?.token_id ?? null },
    text: 'It is dead.',
  };
}

async function revokeAndExplain(text: string): Promise<Explanation> {
  const [{ withServices }, { TokenExplainer }, { TokenReader }, { TokenRevocation }, { OPERATOR }] =
    await Promise.all([
      import('../services.js'),
      import('../../auth/tokens/token-explainer.js'),
      import('../../auth/tokens/token-reader.js'),
      import('../../auth/tokens/token-revocation.js'),
      import('../../auth/request-origin.js'),
    ]);
  return withServices(async (services) => {
    const read = await services.get(TokenReader).read(text);
    if (!('refused' in read))
      await services.get(TokenRevocation).revoke(read, { actor: 'operator', origin: OPERATOR });
    return services.get(TokenExplainer).explain(text);
  });
}
