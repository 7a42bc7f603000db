import type { Command } from 'commander';
import type { Answer } from '../answer.js';
import type { InitOptions } from './init/env-values.js';
import { examples, once, type Act } from '../noun.js';
import { readSecret } from '../stdin.js';
import { Refusal, WrongUsage } from '../refusal.js';

/** The first step towards production: a `.env` with new secrets. */
export function init(program: Command, act: Act): void {
  program
    .command('init')
    .description('writes a .env with fresh secrets, which npm start and npm run keks read; asks nothing')
    .addOption(once('--issuer <url>', 'the public URL'))
    .addOption(once('--port <port>', 'TCP port'))
    .addOption(once('--database-url <url>', 'your own PostgreSQL; without a password in it'))
    .option('--database-url-stdin', 'the same from standard input, less one line end: with its password')
    .addOption(once('--domain <host>', 'instead: for docker compose, which then serves this host'))
    .addOption(once('--file <path>', 'another file than .env'))
    .addHelpText(
      ...examples(
        'keks init',
        'keks init --issuer https://auth.example.com --database-url-stdin < database-url.txt',
        'keks init --domain auth.example.com',
      ),
    )
    .action(act(run));
}

interface Options extends InitOptions {
  readonly databaseUrlStdin?: boolean;
  readonly file?: string;
}

async function run({ databaseUrlStdin, file = '.env', ...options }: Options): Promise<Answer> {
  if (options.databaseUrl !== undefined && databaseUrlStdin)
    throw new WrongUsage('Say either --database-url or --database-url-stdin.');
  const [{ envValues }, { envText, writeEnv }] = await Promise.all([
    import('./init/env-values.js'),
    import('./init/env-file.js'),
  ]);
  const databaseUrl = databaseUrlStdin ? await readSecret('the database URL') : options.databaseUrl;
  if (options.databaseUrl !== undefined && hasPassword(options.databaseUrl))
    throw new WrongUsage(
      'A secret is never an argument: give the URL with its password on standard input, with --database-url-stdin.',
    );
  const { values, problems } = envValues({ ...options, databaseUrl });
  if (problems.length > 0) throw new Refusal('invalid_request', problems.join('\n'));
  writeEnv(file, envText(values, options.domain === undefined));
  const names = Object.keys(values);
  return {
    json: { file, settings: names },
    text: `Wrote ${file} (${names.join(', ') || 'no secret: DATA_DIR has its own'}). Now run: ${next(file, options)}`,
  };
}

function next(file: string, { domain }: InitOptions): string {
  const usual = file === '.env';
  if (domain !== undefined) return usual ? 'docker compose up' : `docker compose --env-file ${file} up`;
  return usual ? 'npm start' : `node --env-file=${file} dist/src/main.js`;
}

function hasPassword(url: string): boolean {
  return /^[^/]*\/\/[^/@]*:[^/@]+@/.test(url) || /[?&]password=/i.test(url);
}
