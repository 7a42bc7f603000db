import type { CommanderError } from 'commander';

/** What people try first. */
const SECRET_OPTION = /'--?(?:p|pw|pass|passwd|password|secret|token)(?![\w-])/;

/**
 * What was wrong with the arguments. An unknown word is repeated only if it looks like one of ours, because it may be a
 * password or a token.
 */
export function usageMessage(error: CommanderError, said: string): string {
  const suggestion = /\(Did you mean ([^)]+)\?\)/.exec(said)?.[1];
  const didYouMean = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
  if (error.code === 'commander.unknownCommand')
    return `There is no such verb.${didYouMean} See "keks --help".`;
  if (error.code === 'commander.unknownOption') {
    if (SECRET_OPTION.test(said))
      return 'A secret is never an argument: give it on standard input, see --help.';
    return `There is no such option.${didYouMean} See --help.`;
  }
  if (error.code === 'commander.help') return `Say what to do.\n\n${said.trimEnd()}`;
  return said.replace(/^error: /, '').trim();
}
