import type { IncomingMessage } from 'node:http';
import { Gate, principalOfRaw, type BearerOptions } from './gate.js';
import type { Principal } from './claims.js';
import { scopeTokens } from './scope-tokens.js';

export type { BearerOptions } from './gate.js';

/** The parts of Fastify's request and reply that are used, so that Fastify's types need not be installed. */
export interface HookRequest {
  readonly raw: IncomingMessage;
}

export interface HookReply {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  hasHeader(name: string): boolean;
  send(body: unknown): unknown;
}

export type OnRequestHook = (request: HookRequest, reply: HookReply) => Promise<unknown>;

/**
 * For Fastify without Nest: `const guard = bearerGuard({ realm, validator })`, then `app.get('/tea', { onRequest:
 * guard('tea:pour') }, ...)`; the hook runs before any body is read.
 * @returns a function that makes the hook of a route; `guard()` lets any good token pass, and throws a TypeError for what is no
 * scope
 * @throws TypeError, RangeError for options that cannot be meant
 */
export function bearerGuard(options: BearerOptions): (...scope: readonly string[]) => OnRequestHook {
  const gate = new Gate(options);
  return (...scopes) => {
    const scope = scopeTokens('guard(...)', scopes);
    return async (request, reply) => {
      const refusal = await gate.refusal(request.raw, scope, (name, value) => reply.header(name, value));
      if (!refusal) {
        // an answer that a token opened is for its sender only (RFC 6750 §5.3), unless the API says otherwise
        if (!reply.hasHeader('Cache-Control')) reply.header('Cache-Control', 'no-store');
        return undefined;
      }
      reply.code(refusal.status);
      for (const [name, value] of Object.entries(refusal.headers)) reply.header(name, value);
      reply.send(refusal.body);
      // an async hook that has answered returns the reply, and then no handler runs
      return reply;
    };
  };
}

/** The caller, for a handler behind `guard(...)`. @throws Error on a route without `guard(...)` */
export function principalOf(request: HookRequest): Principal {
  return principalOfRaw(request.raw);
}
