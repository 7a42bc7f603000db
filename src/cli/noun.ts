import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Answer } from './answer.js';
import { styled } from './style.js';

/** Makes commander's action of a verb: what it answers is printed, what it throws becomes message and exit code. */
export type Act = <A extends unknown[]>(
  verb: (...args: A) => Promise<Answer>,
) => (...args: A) => Promise<void>;

/**
 * One noun of the command line: adds its verbs to the program. What a verb needs of Nest and the database it imports
 * when it runs, so that `--help` loads none of it.
 */
export type Noun = (program: Command, act: Act) => void;

/** An option that must not be given twice: of two values, one would be lost without a word. */
export function once(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, previous: string | undefined) => {
    if (previous !== undefined) throw new InvalidArgumentError('It may be given once.');
    return value;
  });
}

/** What a verb looks like in use, at the end of its help. A test holds each line against the parser. */
export function examples(...lines: readonly string[]): readonly ['after', () => string] {
  return ['after', () => `\n${styled('bold', 'Examples:')}\n${lines.map((line) => `  ${line}`).join('\n')}`];
}
