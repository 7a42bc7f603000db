import { HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Challenges } from './challenge.js';
import { WireError, type WireErrorCode } from './wire-error.js';

/** Statuses of Nest and Fastify that have a code in the closed list. Any other 4xx is `invalid_request`. */
const BY_STATUS: Readonly<Record<number, WireErrorCode>> = {
  401: 'invalid_credentials',
  403: 'not_found', // a missing scope is the only reason for a 403, and the guard answers it
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  414: 'not_found', // a parameter is longer than the router takes, so nothing has this address
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  503: 'temporarily_unavailable',
};

/**
 * Turns any thrown value into an error of the closed list. Drops the original message, because it may quote input, SQL
 * or a secret.
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
  // Only errors of Fastify: the error of a library may have the status of another server's answer.
  const ours = 'code' in thrown && typeof thrown.code === 'string' && thrown.code.startsWith('FST_');
  return ours && 'statusCode' in thrown && typeof thrown.statusCode === 'number'
    ? { status: thrown.statusCode }
    : {};
}

/** Writes the one error shape. Removes headers that the route had set for a success. */
export function sendError(reply: FastifyReply, error: WireError, challenges: Challenges): void {
  reply.removeHeader('content-length').removeHeader('content-encoding').removeHeader('etag');
  // Fastify closes the connection after every refused body. We have read the body to its end, so the connection is
  // good.
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

/**
 * A 401 needs a challenge (RFC 9110 §15.5.2), and a 503 a `Retry-After`. They are added here, so that no route can
 * forget them.
 */
function defaultHeaders(error: WireError, challenges: Challenges): Record<string, string> {
  if (error.code === 'invalid_client') return { 'www-authenticate': challenges.basic };
  if (error.getStatus() === 401) return { 'www-authenticate': challenges.bearer };
  if (error.getStatus() === 503) return { 'retry-after': '1' };
  return {};
}
