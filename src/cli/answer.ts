import { stripVTControlCharacters } from 'node:util';
import { Refusal } from './refusal.js';
import { styled, styledError } from './style.js';

/** What a verb says on stdout, for programs and for people. Neither form repeats a secret from the input. */
export interface Answer {
  /** Undefined if everything has been printed already. */
  readonly json: unknown;
  /** Without the newline at its end. */
  readonly text: string;
  readonly exitCode?: 0 | 1;
}

/** Columns under their headings. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return aligned([bold(headings), ...rows]).text;
}

export function bold(headings: readonly string[]): string[] {
  return headings.map((heading) => styled('bold', heading));
}

/** @param least how wide the columns are at least @returns the table, and how wide its columns are */
export function aligned(
  lines: readonly (readonly string[])[],
  least: readonly number[] = [],
): { readonly text: string; readonly widths: readonly number[] } {
  // one by one, because a call cannot take a million arguments
  const widths = (lines[0] ?? []).map((_, column) =>
    lines.reduce((most, line) => Math.max(most, length(line[column])), least[column] ?? 0),
  );
  const text = lines
    .map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
  return { text, widths };
}

/** Each fact on a line of its own. Facts without a value are left out. */
export function facts(entries: readonly (readonly [string, string | null | undefined])[]): string {
  const known = entries.filter((entry): entry is readonly [string, string] => Boolean(entry[1]));
  const width = Math.max(...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${styled('bold', pad(name, width))}  ${value}`).join('\n');
}

/** UTC, to the second. */
export function moment(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Resolves when the text is written, or when nobody reads it any more. */
export async function print(answer: Answer, json: boolean): Promise<void> {
  const text = json ? (JSON.stringify(answer.json) ?? '') : answer.text;
  if (text !== '') await writeOut(`${text}\n`);
}

/** A part of what goes to stdout. @returns false when nobody reads any more */
export function writeOut(text: string): Promise<boolean> {
  return write(process.stdout, text);
}

/** The same shape as on the wire (RFC 6749 §5.2). A help text, below an empty line, is for people. */
export async function printRefusal({ code, message, parameter }: Refusal, json: boolean): Promise<void> {
  const [told = ''] = message.split('\n\n');
  const shape = {
    error: code,
    error_description: told.replaceAll(/\s*\n\s*/g, ' '),
    ...(parameter !== undefined && { parameter }),
  };
  const [, ...help] = stripVTControlCharacters(message).split('\n\n');
  const text = [styledError('red', told), ...help].join('\n\n');
  await write(process.stderr, `${json ? JSON.stringify(shape) : text}\n`);
}

/** @throws Refusal when there is no room for it; that nobody reads any more (`| head`) is no fault */
function write(stream: NodeJS.WriteStream, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      const code = error && 'code' in error ? error.code : undefined;
      if (!error || code === 'EPIPE') resolve(!error);
      else reject(new Refusal('server_error', `It is done, but the output could not be written (${code}).`));
    });
  });
}

function length(cell: string | undefined): number {
  return [...stripVTControlCharacters(cell ?? '')].length;
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - length(cell)));
}
