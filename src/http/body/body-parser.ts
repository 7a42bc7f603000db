import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { readBody } from './body-reader.js';
import { isAsciiForm, parseForm } from './form-parser.js';
import { parseJson } from './json-parser.js';
import { WireError } from '../errors/wire-error.js';

/** The two media types that this server reads. */
type MediaType = 'application/json' | 'application/x-www-form-urlencoded';

/** The routes that read forms: OAuth 2, and pages for people. The metadata of a client is JSON (RFC 7591 §3.1). */
const FORM_ROUTES = /^\/(?:oauth\/(?!register(?:\/|$))|device\/|password-reset$)/;
const JSON_TYPE: MediaType = 'application/json';
const FORM_TYPE: MediaType = 'application/x-www-form-urlencoded';

type Done = (error: Error | null, body?: unknown) => void;

/** Replaces all of Fastify's body parsing: the route, not the client, decides how a body is read. */
export function installBodyParser(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  // The two known types are named as well: Fastify caches parsers of named types by header, and never caches '*'.
  instance.addContentTypeParser([JSON_TYPE, FORM_TYPE, '*'], parseBody);
  // A body of GET, HEAD or DELETE has no meaning (RFC 9110 §9.3): it is never parsed, see request-gate.ts.
  instance.addHttpMethod('DELETE', { hasBody: false, overrideExisting: true });
}

function parseBody(request: FastifyRequest, payload: IncomingMessage, done: Done): void {
  // The pattern of the route, because a client may spell the path in many ways.
  const form = FORM_ROUTES.test(request.routeOptions.url ?? '');
  readBody(payload, (error, bytes) => {
    try {
      if (error !== null) throw error;
      const charset = requireType(request, form ? FORM_TYPE : JSON_TYPE);
      if (charset === 'ascii' && !isAsciiForm(bytes)) throw unsupported(FORM_TYPE);
      done(null, form ? parseForm(bytes) : bytes.length === 0 ? undefined : parseJson(bytes));
    } catch (refusal) {
      done(refusal instanceof Error ? refusal : new WireError('invalid_request'));
    }
  });
}

function requireType(request: FastifyRequest, expected: MediaType): Charset {
  const coding = request.headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new WireError('unsupported_media_type', { 'Accept-Encoding': 'identity' });
  }
  const type = request.headers['content-type'];
  const charset = type === undefined ? undefined : charsetOf(type, expected);
  if (charset === undefined) throw unsupported(expected);
  return charset;
}

function unsupported(wanted: MediaType): WireError {
  return new WireError('unsupported_media_type', { Accept: wanted });
}

// RFC 9110 §5.6.6: empty parameters are allowed, a value is a token or a quoted string.
const PARAMETER = /[ \t]*;[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)=([!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*"))?/y;

/** How to read a body: as UTF-8, or only if all octets are ASCII, which is the same in both charsets. */
type Charset = 'utf-8' | 'ascii';

const UTF_8 = /^"?utf-8"?$/i;
/**
 * All octets of a form are ASCII. So the charset that older clients name changes nothing, unless it is about the octets
 * behind a `%`.
 */
const LIKE_ASCII = /^"?(?:us-ascii|iso-8859-1)"?$/i;

/**
 * How to read a body with exactly this type in its `Content-Type`; undefined for another type or charset. Parameters
 * other than `charset` are ignored.
 */
function charsetOf(header: string, expected: MediaType): Charset | undefined {
  if (header === expected) return 'utf-8';
  if (header.slice(0, expected.length).toLowerCase() !== expected) return undefined;
  const said = charsetsIn(header.slice(expected.length).trimEnd());
  if (said === undefined || said.length > 1) return undefined;
  const [charset = 'utf-8'] = said;
  if (UTF_8.test(charset)) return 'utf-8';
  // JSON is UTF-8 (RFC 8259 §8.1)
  return expected !== 'application/json' && LIKE_ASCII.test(charset) ? 'ascii' : undefined;
}

function charsetsIn(parameters: string): string[] | undefined {
  const found: string[] = [];
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < parameters.length) {
    const match = PARAMETER.exec(parameters);
    if (match === null) return undefined;
    if (match[1]?.toLowerCase() === 'charset') found.push(match[2] ?? '');
  }
  return found;
}
