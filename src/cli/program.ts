import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config.js';
import { VERSION } from '../version.js';
import { print, printRefusal, type Answer } from './answer.js';
import type { Act } from './noun.js';
import { NOUNS } from './nouns.js';
import { Refusal, WrongUsage } from './refusal.js';
import { HELP_STYLE } from './style.js';
import { usageMessage } from './usage.js';

const FINISHED = new Set(['commander.helpDisplayed', 'commander.help', 'commander.version']);

/** What the parser itself has written, on either stream. */
interface Said {
  out: string;
  err: string;
}

/** One run of the command line, from the arguments to the exit code: 0 done, 1 refused, 2 wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const json = wantsJson(args);
  const said = { out: '', err: '' };
  try {
    const answer = await perform(args, said);
    await print(answer, json);
    return answer.exitCode ?? 0;
  } catch (error) {
    if (error instanceof CommanderError && FINISHED.has(error.code) && said.err === '') {
      await print({ json: said.out.trimEnd(), text: said.out.trimEnd() }, false);
      return 0;
    }
    const refusal = refusalOf(error, said.err);
    await printRefusal(refusal, json);
    return refusal.exitCode;
  }
}

async function perform(args: readonly string[], said: Said): Promise<Answer> {
  const answers: Answer[] = [];
  const act: Act =
    (verb) =>
    async (...given) => {
      answers.push(await verb(...given));
    };
  await commandLine(act, said).parseAsync(args, { from: 'user' });
  const [answer] = answers;
  if (!answer) throw new WrongUsage('Say what to do: see "keks --help".');
  return answer;
}

/** All nouns and verbs; `act` runs one. */
export function commandLine(act: Act, said: Said): Command {
  const program = new Command('keks')
    .description('A bearer-token authority: the verbs of its operator.')
    .version(VERSION)
    .option('--json', 'one JSON document on stdout and nothing else; errors as JSON on stderr')
    .configureHelp({ showGlobalOptions: true, ...HELP_STYLE })
    .configureOutput({
      writeOut: (text) => (said.out += text),
      writeErr: (text) => (said.err += text),
      // commander must not decide about colours: `style.ts` does
      getOutHasColors: () => true,
      getErrHasColors: () => true,
    })
    .exitOverride();
  for (const noun of NOUNS) noun(program, act);
  return program;
}

/** Found out before parsing, because errors of the parser are answered in this shape too. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}

function refusalOf(error: unknown, said: string): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof CommanderError) return new WrongUsage(usageMessage(error, said));
  if (error instanceof ConfigError) return new Refusal('invalid_request', error.message);
  const message = error instanceof Error ? error.message : String(error);
  return new Refusal('server_error', `This should not have happened, please report it: ${message}`);
}
