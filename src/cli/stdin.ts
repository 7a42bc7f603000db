import { Refusal, WrongUsage } from './refusal.js';

const MOST_BYTES = 65_536;

/**
 * Reads a secret from standard input, without one LF or CRLF at its end. Secrets never come as an argument, because arguments
 * are in the shell's history and in the list of processes.
 * @param what for the messages, e.g. "the password"
 */
export async function readSecret(what: string): Promise<string> {
  if (process.stdin.isTTY)
    throw new WrongUsage(
      `Give ${what} on standard input: from a file with "< FILE", or through a pipe from a password manager.`,
    );
  return secretOf(await readAll(what), what);
}

/** @throws Refusal when it is empty, or not UTF-8 */
export function secretOf(bytes: Uint8Array, what: string): string {
  const text = decode(bytes, what).replace(/\r?\n$/, '');
  if (text === '')
    throw new Refusal('invalid_request', `Standard input is empty: ${what} was expected on it.`);
  return text;
}

async function readAll(what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of process.stdin) {
      const buffer = Buffer.from(chunk as Uint8Array);
      bytes += buffer.length;
      if (bytes > MOST_BYTES) break;
      chunks.push(buffer);
    }
  } catch (error) {
    throw new Refusal('invalid_request', `Standard input cannot be read: give ${what} on it.`, {
      cause: error,
    });
  }
  if (bytes > MOST_BYTES)
    throw new Refusal(
      'payload_too_large',
      `Standard input is longer than 65,536 bytes: that is not ${what}.`,
    );
  return Buffer.concat(chunks);
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal('invalid_request', `Standard input is not well-formed UTF-8: ${what} must be.`);
  }
}
