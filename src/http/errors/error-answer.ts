import { HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Challenges } from './challenge.js';
import { WireError, type WireErrorCode } from './wire-error.js';

/** Statuses of Nest and Fastify that the closed list knows. Any other 4xx is `invalid_request`. */
const BY_STATUS: Readonly<Record<number, WireErrorCode>> = {
  401: 'invalid_credentials',
  403: 'not_found', // only missing scopes are forbidden here, and the guard answers for those
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  414: 'not_found', // a parameter longer than the router takes: no such thing
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  503: 'temporarily_unavailable',
};

/**
 * Turns anything that was thrown into an error of the closed list. The original message is dropped, because it may quote
 * input, SQL or a secret.
 */
export function toWireError(thrown: unknown): WireError {
  if (thrown instanceof WireError) return thrown;
  const { retryAfter, status } = traits(thrown);
  if (retryAfter !== undefined) {
    return new WireError('temporarily_unavailable', {
      'Retry-After': String(Math.max(1, Math.ceil(retryAfter) || 1)),
    });
  }
  const known = status === undefined ? undefined : BY_STATUS[status];
  if (known !== undefined) return new WireError(known);
  return new WireError(
    status !== undefined && status >= 400 && status < 500 ? 'invalid_request' : 'server_error',
  );
}

function traits(thrown: unknown): { retryAfter?: number; status?: number } {
  if (!(thrown instanceof Error)) return {};
  if ('retryAfter' in thrown && typeof thrown.retryAfter === 'number')
    return { retryAfter: thrown.retryAfter };
  if (thrown instanceof HttpException) return { status: thrown.getStatus() };
  // Only Fastify's own: a library's error may carry the status of somebody else's answer.
  const ours = 'code' in thrown && typeof thrown.code === 'string' && thrown.code.startsWith('FST_');
  return ours && 'statusCode' in thrown && typeof thrown.statusCode === 'number'
    ? { status: thrown.statusCode }
    : {};
}

/** Writes the one error shape. Headers that the route had set for a success do not outlive it. */
export function sendError(reply: FastifyReply, error: WireError, challenges: Challenges): void {
  reply.removeHeader('content-length').removeHeader('content-encoding').removeHeader('etag');
  // Fastify closes after every refused body; ours has been taken off the wire, so the connection is good.
  if (reply.hasHeader('connection') && reply.raw.shouldKeepAlive) reply.removeHeader('connection');
  reply
    .code(error.getStatus())
    .headers({
      'x-request-id': reply.request.id,
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      ...defaultHeaders(error, challenges),
    })
    .headers({ ...error.headers })
    .send(JSON.stringify(error.getResponse()));
}

/** A 401 needs a challenge and a 503 a hint (RFC 9110 §15.5.2). They are added here, so that nobody can forget them. */
function defaultHeaders(error: WireError, challenges: Challenges): Record<string, string> {
  if (error.code === 'invalid_client') return { 'www-authenticate': challenges.basic };
  if (error.getStatus() === 401) return { 'www-authenticate': challenges.bearer };
  if (error.getStatus() === 503) return { 'retry-after': '1' };
  return {};
}
