import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const POLICY: FastifyCorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: ['Authorization', 'Content-Type', 'DPoP'],
  exposedHeaders: ['WWW-Authenticate', 'DPoP-Nonce', 'Retry-After', 'X-Request-Id'],
  // scripts set the header with the token themselves: the server trusts nothing that a browser adds by itself
  credentials: false,
  maxAge: 600,
};

/** Lets pages of these origins call. Without origins, no page of another origin can read an answer. */
export async function installCors(instance: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await instance.register(cors, {
    delegator: (request: FastifyRequest, done: (error: Error | null, options: FastifyCorsOptions) => void) =>
      done(null, { ...POLICY, origin: [...origins], preflight: isPreflight(request) }),
  });
}

/**
 * Whether this is a preflight: the request that a browser sends beforehand (Fetch standard, CORS protocol). Any other
 * OPTIONS asks for the methods of the address.
 */
export function isPreflight({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}
