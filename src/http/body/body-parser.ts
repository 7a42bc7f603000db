import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { readBody } from './body-reader.js';
import { isAsciiForm, parseForm } from './form-parser.js';
import { parseJson } from './json-parser.js';
import { charsetOf, type Charset, type MediaType } from './media-type.js';
import { WireError } from '../errors/wire-error.js';

/** What OAuth 2 says on the wire, and pages for people. What a client says of itself is JSON (RFC 7591 §3.1). */
const FORM_ROUTES = /^\/(?:oauth\/(?!register(?:\/|$))|device\/|password-reset$)/;
const JSON_TYPE: MediaType = 'application/json';
const FORM_TYPE: MediaType = 'application/x-www-form-urlencoded';

type Done = (error: Error | null, body?: unknown) => void;

/** Replaces all of Fastify's body parsing: the route, not the client, decides how a body is read. */
export function installBodyParser(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  // The two known types by name as well: Fastify caches those by header, and '*' never.
  instance.addContentTypeParser([JSON_TYPE, FORM_TYPE, '*'], parseBody);
  // A body of GET, HEAD or DELETE means nothing (RFC 9110 §9.3): never parsed, see the gate.
  instance.addHttpMethod('DELETE', { hasBody: false, overrideExisting: true });
}

function parseBody(request: FastifyRequest, payload: IncomingMessage, done: Done): void {
  // The pattern of the route: the client may spell the path in many ways.
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
