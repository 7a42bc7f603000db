import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Answer } from './answer.js';
import { styled } from './style.js';

/**
 * Turns a verb into commander's action: prints what the verb returns, and turns what it throws into a message and an exit
 * code.
 */
export type Act = <A extends unknown[]>(
  verb: (...args: A) => Promise<Answer>,
) => (...args: A) => Promise<void>;

/**
 * Adds the verbs of one noun to the program. A verb imports Nest and the database when it runs, so that `--help` loads
 * neither.
 */
export type Noun = (program: Command, act: Act) => void;

/** An option that must not be given twice, because one of the two values would be ignored silently. */
export function once(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, previous: string | undefined) => {
    if (previous !== undefined) throw new InvalidArgumentError('It may be given once.');
    return value;
  });
}

/** Examples at the end of a verb's help. A test gives each line to the parser. */
export function examples(...lines: readonly string[]): readonly ['after', () => string] {
  return ['after', () => `\n${styled('bold', 'Examples:')}\n${lines.map((line) => `  ${line}`).join('\n')}`];
}
