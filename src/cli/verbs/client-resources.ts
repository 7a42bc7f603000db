import type { Command } from 'commander';
import type { Answer } from '../answer.js';
import { examples, type Act } from '../noun.js';
import { Refusal, WrongUsage } from '../refusal.js';
import { listOf, publicOf, UNKNOWN, withClients } from './client-record.js';
import { clientRefusal } from './client-refusal.js';

export function resourcesVerb(noun: Command, act: Act): void {
  noun
    .command('set-resources')
    .description('says which APIs it may ask tokens for beside its own; if it could do more, its tokens end')
    .argument('<client_id>')
    .argument(
      '[resource...]',
      'all of them: a URI, and after it, in the same quotes, what tokens for it may carry',
    )
    .option('--none', 'no other API')
    .addHelpText(
      ...examples(
        'keks client set-resources c-0123456789abcdef01234567 https://tea.example.com',
        'keks client set-resources c-0123456789abcdef01234567 "https://tea.example.com tea:pour"',
        'keks client set-resources c-0123456789abcdef01234567 --none',
      ),
    )
    .action(act(setResources));
}

/** Replaces the whole list. An empty command is refused and does not mean "none", because that would end tokens by mistake. */
async function setResources(
  id: string,
  resources: string[],
  { none = false }: { none?: boolean },
): Promise<Answer> {
  if (none !== (resources.length === 0))
    throw new WrongUsage('Name the APIs that it may ask tokens for, or say --none.');
  const { clientFlaw } = await import('../../auth/clients/client-flaw.js');
  const flaw = clientFlaw({ resources });
  if (flaw) throw clientRefusal(flaw);
  const changed = await withClients((clients, by) => clients.change(id, { resources }, by));
  if (!changed) throw new Refusal('not_found', UNKNOWN);
  if ('flaw' in changed) throw clientRefusal(changed.flaw);
  const may = none ? 'no API but its own' : listOf(resources);
  return {
    json: publicOf(changed),
    text: `${id} may ask tokens for ${may}. If it could do more, its tokens are dead.`,
  };
}
