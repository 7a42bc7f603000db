import { styleText } from 'node:util';
import pino, { type Logger } from 'pino';
import type { Config } from '../config/config.js';

type Colour = Parameters<typeof styleText>[0];

const LEVELS: Readonly<Record<number, readonly [word: string, colour: Colour]>> = {
  10: ['trace', 'dim'],
  20: ['debug', 'dim'],
  30: ['info', 'green'],
  40: ['warn', 'yellow'],
  50: ['error', 'red'],
  60: ['fatal', 'red'],
};
const STANDARD_OUTPUT = 1;
/** What is kept of a log that cannot be written, for when it can be again: bytes. Further lines are dropped. */
const UNWRITTEN_MOST = 1_048_576;

/** Owns how the log reaches standard output: as lines of text on a terminal, as JSON for any other reader. */
export function programLog(
  config: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  base: object | null = null,
): Logger {
  const output = pino.destination({ dest: STANDARD_OUTPUT, sync: true, maxLength: UNWRITTEN_MOST });
  // a full disk or a terminal that has gone takes the log away, not the service; pino itself forgives EPIPE alone
  output.on('error', () => undefined);
  const options = { level: config.LOG_LEVEL, base };
  const forPeople = config.LOG_FORMAT === 'text' || (config.LOG_FORMAT === 'auto' && process.stdout.isTTY);
  if (!forPeople) return pino(options, output);
  return pino(options, {
    write: (line: string) => void output.write(`${textOf(JSON.parse(line) as LogRecord)}\n`),
  });
}

export interface LogRecord {
  readonly level?: number;
  readonly time?: number;
  readonly msg?: string;
  readonly [member: string]: unknown;
}

/** The time of day, the level, the message, and the other members by name. A stack goes below. */
export function textOf({ level = 0, time = 0, msg = '', ...rest }: LogRecord): string {
  const [word, colour] = LEVELS[level] ?? [String(level), 'reset'];
  const clock = new Date(time).toTimeString().slice(0, 'hh:mm:ss'.length);
  const stacks: string[] = [];
  const members = Object.entries(rest).map(
    ([name, value]) => `${visible(name)}=${visible(JSON.stringify(value, withoutStack(stacks)) ?? '')}`,
  );
  const head = [
    styled('dim', clock),
    styled(colour, word.padEnd('error'.length)),
    visible(msg),
    styled('dim', members.join(' ')),
  ];
  return [head.join(' ').trimEnd(), ...stacks.map((line) => `    ${visible(line)}`)].join('\n');
}

function withoutStack(stacks: string[]): (name: string, value: unknown) => unknown {
  return (name, value) => {
    if (name !== 'stack' || !Array.isArray(value)) return value;
    stacks.push(...value.map(String));
    return undefined;
  };
}

function styled(colour: Colour, text: string): string {
  return text === '' ? '' : styleText(colour, text, { stream: process.stdout });
}

/**
 * Escapes control characters, which a terminal obeys, and characters that turn the direction of text. A log line must
 * not pass either to a terminal.
 */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
