import { createReadStream } from 'node:fs';
import { Refusal } from './refusal.js';

const LINE_MOST = 65_536;
const NEWLINE = 0x0a;

/** A line, or what is wrong with it. */
export type Line = string | { readonly flaw: 'not_utf8' | 'too_long' };

/**
 * Reads the lines of a file one by one, without their ends. A line that is too long is not kept.
 * @param file `-` for standard input
 * @throws Refusal if it cannot be read
 */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  let rest: Buffer[] = [];
  let bytes = 0;
  const line = (): Line => {
    const whole = Buffer.concat(rest);
    const tooLong = bytes > LINE_MOST;
    rest = [];
    bytes = 0;
    return tooLong ? { flaw: 'too_long' } : decoded(whole);
  };
  const keep = (part: Buffer): void => {
    bytes += part.length;
    if (bytes <= LINE_MOST) rest.push(part);
  };
  for await (const chunk of chunksOf(file)) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, at));
      yield line();
      from = at + 1;
    }
    keep(chunk.subarray(from));
  }
  if (bytes > 0) yield line();
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) yield chunk as Buffer;
  } catch (cause) {
    throw new Refusal('invalid_request', 'The file cannot be read: see whether it is there, and yours.', {
      cause,
    });
  }
}

function decoded(bytes: Buffer): Line {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r$/, '');
  } catch {
    return { flaw: 'not_utf8' };
  }
}
