import { Argument, type Command } from 'commander';
import type { Answer } from '../answer.js';
import { examples, type Act } from '../noun.js';
import { bashScript } from './completion/bash.js';
import { fishScript } from './completion/fish.js';
import { placesOf } from './completion/places.js';
import { zshScript } from './completion/zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

type Shell = keyof typeof SCRIPTS;

/**
 * Prints a script with which a shell completes nouns, verbs and options. It is made from the parser's own list, so it is
 * never out of date.
 */
export function completion(program: Command, act: Act): void {
  program
    .command('completion')
    .description('prints a script with which your shell completes keks')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      ...examples(
        "echo 'source <(keks completion bash)' >> ~/.bashrc",
        "echo 'source <(keks completion zsh)' >> ~/.zshrc",
        'keks completion fish > ~/.config/fish/completions/keks.fish',
      ),
    )
    .action(act((shell: Shell) => script(program, shell)));
}

async function script(program: Command, shell: Shell): Promise<Answer> {
  const text = SCRIPTS[shell](placesOf(program));
  return { json: { shell, script: text }, text };
}
