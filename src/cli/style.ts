import { styleText } from 'node:util';

/**
 * Owns when there are colours: on a terminal unless NO_COLOR is set, and elsewhere if FORCE_COLOR is set. Node reads both,
 * and looks at the stream that the text goes to.
 */
type Colour = Parameters<typeof styleText>[0];

/** For standard output. */
export function styled(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

/** For standard error. */
export function styledError(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stderr });
}

/** Green: all is well. Red: something is broken. Yellow: somebody should look at it. */
export function judged(word: string): string {
  const colour = COLOURS[word];
  return colour === undefined ? word : styled(colour, word);
}

const COLOURS: Readonly<Record<string, Colour>> = {
  ok: 'green',
  enabled: 'green',
  alive: 'green',
  warn: 'yellow',
  fail: 'red',
  disabled: 'red',
};

/** Of commander's help. */
export const HELP_STYLE = {
  styleTitle: (text: string): string => styled('bold', text),
  styleCommandText: (text: string): string => styled('cyan', text),
  styleSubcommandText: (text: string): string => styled('cyan', text),
  styleOptionText: (text: string): string => styled('cyan', text),
};
