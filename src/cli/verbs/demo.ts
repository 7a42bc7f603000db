import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { print, type Answer } from '../answer.js';
import type { Exchange } from './demo/exchange.js';
import { examples, once, type Act } from '../noun.js';
import { promptForSecret } from '../prompt.js';
import { WrongUsage } from '../refusal.js';
import { readSecret } from '../stdin.js';

const PAUSE_MS = 700;

/** The story of the Cookie Factory in the terminal, with real requests. */
export function demo(program: Command, act: Act): void {
  program
    .command('demo')
    .description('plays the story with real requests to a running server, and shows each of them')
    .addOption(once('--url <url>', 'of the server; if absent, on this machine at PORT'))
    .option('--jwt', 'with a signed token, whose content is shown, instead of an opaque one')
    .addOption(
      once(
        '--lease [client_id]',
        'with a JWT that an API checks alone, and that dies all the same: one of the server, or here as this client, whose secret comes on standard input',
      ),
    )
    .addOption(once('--user <name>', 'somebody else than the demo user; the scope cookies:eat is needed'))
    .option(
      '--password-stdin',
      'with --user: read the password from standard input, less one line end; a terminal is asked for it',
    )
    .addHelpText(
      ...examples(
        'keks demo',
        'keks demo --jwt',
        'keks demo --lease',
        'keks demo --lease c-0123456789abcdef01234567 < secret.txt',
        'keks demo --user alice',
        'keks demo --url https://auth.example.com --user alice --password-stdin < password.txt',
      ),
    )
    .action(act(run));
}

interface Options {
  readonly url?: string;
  readonly jwt?: boolean;
  /** Without a value: true. */
  readonly lease?: string | true;
  readonly user?: string;
  readonly passwordStdin?: boolean;
}

async function run(options: Options, command: Command): Promise<Answer> {
  const url = options.url === undefined ? await ownUrl() : urlOf(options.url);
  const who = await person(options);
  const json = command.optsWithGlobals<{ json?: boolean }>().json === true;
  const played: Exchange[] = [];
  for await (const exchange of await tellingOf(url, who, options)) {
    played.push(exchange);
    if (json) continue;
    await print({ json: exchange, text: `${exchange.text}\n` }, false);
    if (process.stdout.isTTY) await sleep(PAUSE_MS);
  }
  return { json: { url, steps: played.map(publicOf) }, text: `The same with buttons: ${url}/` };
}

async function tellingOf(
  url: string,
  who: { user: string; password: string } | undefined,
  { lease, jwt }: Options,
): Promise<AsyncGenerator<Exchange>> {
  const [{ storyOf }, { leaseStoryOf }, { leasedApiStoryOf }] = await Promise.all([
    import('./demo/story.js'),
    import('./demo/lease-story.js'),
    import('./demo/leased-api-story.js'),
  ]);
  if (lease === undefined) return storyOf(url, who, jwt === true ? 'jwt' : 'opaque');
  if (lease === true) return leasedApiStoryOf(url, who);
  if (who)
    throw new WrongUsage('--lease plays with the demo user: standard input has the secret of the client.');
  return leaseStoryOf(url, who, {
    clientId: lease,
    clientSecret: await readSecret('the secret of the client'),
  });
}

/** @throws WrongUsage */
async function person({
  user,
  passwordStdin,
}: Options): Promise<{ user: string; password: string } | undefined> {
  if (user === undefined && !passwordStdin) return undefined;
  if (user === undefined)
    throw new WrongUsage('--password-stdin goes with --user: the demo user has a password that is known.');
  if (passwordStdin) return { user, password: await readSecret('the password') };
  if (process.stdin.isTTY) return { user, password: await promptForSecret('the password', false) };
  throw new WrongUsage(
    'With --user say --password-stdin and give the password on standard input: it is never an argument.',
  );
}

async function ownUrl(): Promise<string> {
  const { checkSettings } = await import('../../config/config.js');
  const { PORT, TLS_CERT } = checkSettings().settings;
  return `${TLS_CERT ? 'https' : 'http'}://127.0.0.1:${PORT}`;
}

/** @throws WrongUsage */
function urlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.search)
    throw new WrongUsage('--url takes an http or https URL, such as http://127.0.0.1:3000.');
  return url.href.replace(/\/+$/, '');
}

function publicOf(exchange: Exchange): object {
  const { text: _, ...step } = exchange;
  return step;
}
