import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BearerAnswer } from './bearer-answer.js';
import { Gate, principalOfRaw, type BearerOptions } from './gate.js';
import type { Principal } from './claims.js';
import { scopeTokens } from './scope-tokens.js';

export type { BearerOptions } from './gate.js';

/** The form of a middleware in Express, Connect and Node's own server. The types of none of them are needed. */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void>;

/**
 * For Express without Nest: `const guard = bearerGuard({ realm, validator })`, then `app.get('/tea', guard('tea:pour'), ...)`.
 * @returns a function that makes the middleware of a route; `guard()` lets any good token pass, and throws a TypeError for what is
 * no scope
 * @throws TypeError, RangeError for options that cannot be meant
 */
export function bearerGuard(options: BearerOptions): (...scope: readonly string[]) => Middleware {
  const gate = new Gate(options);
  return (...scopes) => {
    const scope = scopeTokens('guard(...)', scopes);
    return async (request, response, next) => {
      try {
        const refusal = await gate.refusal(request, scope, (name, value) => response.setHeader(name, value));
        if (refusal) return send(refusal, response);
        // an answer that a token opened is for its sender only (RFC 6750 §5.3), unless the API says otherwise
        if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'no-store');
      } catch (fault) {
        // Express 4 does not wait for a middleware's promise: a fault in it would end the process
        return next(fault);
      }
      next();
    };
  };
}

function send({ status, headers, body }: BearerAnswer, response: ServerResponse): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}

/** The caller, for a handler behind `guard(...)`. @throws Error on a route without `guard(...)` */
export function principalOf(request: IncomingMessage): Principal {
  return principalOfRaw(request);
}
