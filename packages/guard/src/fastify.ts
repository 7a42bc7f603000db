import type { IncomingMessage } from 'node:http';
import { Gate, principalOfRaw, type BearerOptions } from './gate.js';
import type { Principal } from './claims.js';

export type { BearerOptions } from './gate.js';

/** What is used of Fastify's request and reply, so that its types need not be installed. */
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
 * For Fastify without Nest: `const guard = bearerGuard({ realm, validator })`, then
 * `app.get('/tea', { onRequest: guard('tea:pour') }, ...)`, before any body is read.
 * @returns makes the hook of a route; `guard()` lets any good token pass
 */
export function bearerGuard(options: BearerOptions): (...scope: readonly string[]) => OnRequestHook {
  const gate = new Gate(options);
  return (...scope) =>
    async (request, reply) => {
      const refusal = await gate.refusal(request.raw, scope, (name, value) => reply.header(name, value));
      if (!refusal) {
        // what a token opened is for whoever sent it (RFC 6750 §5.3), unless the API says otherwise
        if (!reply.hasHeader('Cache-Control')) reply.header('Cache-Control', 'no-store');
        return undefined;
      }
      reply.code(refusal.status);
      for (const [name, value] of Object.entries(refusal.headers)) reply.header(name, value);
      reply.send(refusal.body);
      // an async hook that has answered gives the reply back, and no handler runs
      return reply;
    };
}

/** The caller, in a handler behind `guard(...)`. @throws Error on a route without it */
export function principalOf(request: HookRequest): Principal {
  return principalOfRaw(request.raw);
}
