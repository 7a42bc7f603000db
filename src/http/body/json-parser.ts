import { isUtf8 } from 'node:buffer';
import { WireError } from '../errors/wire-error.js';

const DEPTH_LIMIT = 32;
/**
 * Our bodies have a few dozen values. Later code walks over each value several times, and the process serves nobody
 * meanwhile.
 */
const VALUES_LIMIT = 2_048;

/** Keys that change a prototype if code merges an object carelessly (CWE-1321). */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

// U+0000 ends a string in C, and Postgres refuses it. Lone surrogates all encode to the same U+FFFD, so different
// passwords would have the same hash.
const ILL_FORMED = /[\0\p{Surrogate}]/u;

/**
 * Parses a JSON text that every parser would read alike (RFC 8259, I-JSON RFC 7493): UTF-8 without a byte order mark,
 * an object at the top, no member twice, 32 levels at most, and fewer than 2,048 commas, which bounds the number of
 * values.
 *
 * @throws WireError only `invalid_request`
 */
export function parseJson(bytes: Buffer): Record<string, unknown> {
  if (!isUtf8(bytes)) throw WireError.because('not_utf8');
  const text = bytes.toString('utf8');
  const value = parse(text);
  if (!isObject(value)) throw WireError.because('not_object');
  inspect(text);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error is dropped, because its message quotes the input.
    throw WireError.because('not_json');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Refuses JSON that `JSON.parse` accepts but we do not. The text is valid JSON, so finding the tokens needs no grammar.
 */
function inspect(text: string): void {
  const escapes = text.includes('\\');
  const open: (Set<string> | undefined)[] = [];
  let commas = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 0x22 /* " */) {
      const end = closingQuote(text, at);
      const key = isKey(text, end);
      if (key || escapes) inspectString(unescape(text, at, end), key ? open.at(-1) : undefined);
      at = end;
    } else if (char === 0x7b /* { */ || char === 0x5b /* [ */) {
      if (open.push(char === 0x7b ? new Set() : undefined) > DEPTH_LIMIT) throw WireError.because('too_deep');
    } else if (char === 0x7d /* } */ || char === 0x5d /* ] */) {
      open.pop();
    } else if (char === 0x2c /* , */ && (commas += 1) >= VALUES_LIMIT) {
      throw WireError.because('too_many');
    }
  }
}

function inspectString(value: string, siblings: Set<string> | undefined): void {
  if (ILL_FORMED.test(value)) throw WireError.because('ill_formed');
  if (siblings === undefined) return;
  // If a member comes twice, one parser takes the first and another the last: a check may then look at the wrong value.
  if (siblings.has(value)) throw WireError.because('repeated_member');
  if (FORBIDDEN_KEYS.has(value)) throw WireError.because('forbidden_member');
  siblings.add(value);
}

function closingQuote(text: string, opening: number): number {
  let end = text.indexOf('"', opening + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === 0x5c /* \ */) first -= 1;
  return (at - first) % 2 === 1;
}

/** `"\u0061"` and `"a"` are the same key. */
function unescape(text: string, opening: number, closing: number): string {
  const raw = text.slice(opening + 1, closing);
  return raw.includes('\\') ? String(JSON.parse(text.slice(opening, closing + 1))) : raw;
}

function isKey(text: string, closing: number): boolean {
  let next = closing + 1;
  while (text.charCodeAt(next) <= 0x20) next += 1;
  return text.charCodeAt(next) === 0x3a; /* : */
}
