import type { IncomingMessage } from 'node:http';
import { WireError } from '../errors/wire-error.js';

/** The limit of a body in bytes. It also holds for bodies that nobody parses. */
export const BODY_LIMIT = 65_536;

/**
 * How much of a body the server still reads after a refusal, so that the client gets the answer: bytes, and
 * milliseconds.
 */
const COURTESY_BYTES = 1_048_576;
const COURTESY_MS = 1_000;

const NOTHING = Buffer.alloc(0);

/** Whether the headers announce a body (RFC 9112 §6.3). `complete` does not tell this yet. */
export function hasBody(raw: IncomingMessage): boolean {
  const length = raw.headers['content-length'];
  return (length !== undefined && length !== '0') || raw.headers['transfer-encoding'] !== undefined;
}

export function announcesTooMuch(raw: IncomingMessage): boolean {
  return Number(raw.headers['content-length'] ?? 0) > BODY_LIMIT;
}

/** Calls back with the whole body, or with `payload_too_large`, or with `invalid_request` if the client went away. */
export function readBody(raw: IncomingMessage, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (): void => {
    raw.off('data', onData).off('end', onEnd).off('error', onError);
  };
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= BODY_LIMIT) {
      chunks.push(chunk);
      return;
    }
    stop();
    chunks.length = 0;
    discardBody(raw, () => done(new WireError('payload_too_large'), NOTHING));
  };
  const onEnd = (): void => {
    stop();
    done(null, Buffer.concat(chunks, size));
  };
  const onError = (): void => {
    stop();
    done(new WireError('invalid_request'), NOTHING);
  };
  raw.on('data', onData).on('end', onEnd).on('error', onError);
}

/**
 * Reads the rest of the body and drops it, then calls back with the number of bytes. Otherwise Node would close the
 * connection while the client still sends, and the reset would make the client lose the answer (RFC 9112 §9.6). If the
 * rest is over 2 MiB, the client is cut off.
 */
export function discardBody(raw: IncomingMessage, done: (bytes: number) => void): void {
  let size = 0;
  let settled = false;
  const settle = (): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    done(size);
  };
  const timer = setTimeout(settle, COURTESY_MS);
  raw.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > COURTESY_BYTES) settle();
    if (size > 2 * COURTESY_BYTES) raw.destroy();
  });
  raw.on('end', settle).on('error', settle).on('close', settle);
}
