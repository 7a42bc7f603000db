import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { announcesTooMuch, BODY_LIMIT, discardBody, hasBody } from './body/body-reader.js';
import type { Challenges } from './errors/challenge.js';
import { isPreflight } from './cors.js';
import { WireError } from './errors/wire-error.js';

type Done = (error?: Error) => void;

/** Methods whose body is never parsed. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * Refuses everything that can be refused before the body is read: doubtful framing first (400), then in the order 404,
 * 405, 400, 413. Without this gate Fastify would complain about the body of a request to an unknown address.
 */
export function installGate(
  instance: FastifyInstance,
  headers: Readonly<Record<string, string>>,
  { malformed }: Pick<Challenges, 'malformed'>,
): void {
  const constant = Object.entries(headers);
  instance.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    // A route whose answer may be stored sets its own header. All other answers are about credentials (RFC 6750 §5.3).
    reply.header('cache-control', 'no-store');
    for (const [name, value] of constant) reply.header(name, value);
    // the CORS plugin routes every OPTIONS to itself, but only preflights are for it
    const asksForMethods = request.method === 'OPTIONS' && !isPreflight(request);
    if (hasDoubtfulFraming(request.raw)) {
      reply.raw.shouldKeepAlive = false;
      done(new WireError('invalid_request'));
    } else if (request.is404 || asksForMethods) turnAway(instance, request, reply, done);
    else admit(request.raw, malformed, done);
  });
  instance.addHook('onRoute', (route) => {
    if (!route.url.includes(':')) return;
    const own = route.onRequest === undefined ? [] : [route.onRequest].flat();
    route.onRequest = [...own, refuseEmptyParameters];
  });
}

/**
 * Node accepts any list of codings that ends in "chunked", also from HTTP/1.0. A proxy in front may have ended the
 * message elsewhere, so the connection closes here (RFC 9112 §6.1).
 */
function hasDoubtfulFraming(raw: IncomingMessage): boolean {
  const coding = raw.headers['transfer-encoding'];
  if (coding === undefined) return false;
  return coding.toLowerCase() !== 'chunked' || raw.httpVersionMinor === 0;
}

function admit(raw: IncomingMessage, malformed: string, done: Done): void {
  const repeated = repeatedHeader(raw.rawHeaders);
  const error =
    repeated !== 0
      ? new WireError('invalid_request', repeated === AUTHORIZATION ? { 'WWW-Authenticate': malformed } : {})
      : announcesTooMuch(raw)
        ? new WireError('payload_too_large')
        : undefined;
  if (!hasBody(raw)) done(error);
  else if (error !== undefined) discardBody(raw, () => done(error));
  else if (BODILESS.has(raw.method ?? '')) {
    discardBody(raw, (bytes) => done(bytes > BODY_LIMIT ? new WireError('payload_too_large') : undefined));
  } else done();
}

/**
 * Finds a repeated `Host`, `Authorization` or `Content-Type`. A proxy may take the last one, while Node takes the first
 * (RFC 9112 §3.2, RFC 6750 §3.1). Node hides the later ones; only the raw headers show them.
 * @returns the bit of the first repeated header, or 0
 */
function repeatedHeader(rawHeaders: readonly string[]): number {
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const bit = bitOf(rawHeaders[at] ?? '');
    if ((seen & bit) !== 0) return bit;
    seen |= bit;
  }
  return 0;
}

const AUTHORIZATION = 4;

function bitOf(name: string): number {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'host' ? 1 : 0;
    case 12:
      return name.toLowerCase() === 'content-type' ? 2 : 0;
    case 13:
      return name.toLowerCase() === 'authorization' ? AUTHORIZATION : 0;
    default:
      return 0;
  }
}

/** Refuses an empty parameter: the router matches `/keys/` with `/keys/:id` and an empty id. */
function refuseEmptyParameters(request: FastifyRequest, _reply: FastifyReply, done: Done): void {
  const values = Object.values(request.params as Record<string, string>);
  if (!values.includes('')) return done();
  const refuse = (): void => done(new WireError('not_found'));
  return hasBody(request.raw) ? discardBody(request.raw, refuse) : refuse();
}

function turnAway(instance: FastifyInstance, request: FastifyRequest, reply: FastifyReply, done: Done): void {
  const answer = (): void => {
    const allow = allowedMethods(instance, request.raw.url ?? '/');
    if (allow.length === 0) done(new WireError('not_found'));
    else if (request.method !== 'OPTIONS')
      done(new WireError('method_not_allowed', { Allow: allow.join(', ') }));
    else reply.code(204).header('allow', allow.join(', ')).send();
  };
  if (hasBody(request.raw)) discardBody(request.raw, answer);
  else answer();
}

/** The methods of the address, sorted. Only the router knows how it matches paths, so we ask the router. */
function allowedMethods(instance: FastifyInstance, url: string): string[] {
  const methods = instance.supportedMethods.filter(
    (method) => method !== 'OPTIONS' && instance.findRoute({ method: method as HTTPMethods, url }) !== null,
  );
  return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort();
}
