import type { FastifyInstance, FastifyRequest } from 'fastify';
import { WireError } from '../errors/wire-error.js';

/** What the page loads. The folder of Swagger UI has its package, its source maps and other builds of it as well. */
const SERVED = new Set([
  '',
  'favicon-16x16.png',
  'favicon-32x32.png',
  'index.html',
  'oauth2-redirect.html',
  'oauth2-redirect.js',
  'swagger-ui-bundle.js',
  'swagger-ui-init.js',
  'swagger-ui-standalone-preset.js',
  'swagger-ui.css',
]);

/**
 * A page that opens a window in which somebody signs in, and hears from it: it stays apart from other sites' windows, but not
 * from its own. The one that comes back says nothing, or it would lose whom it has to tell.
 */
const ISOLATION = { 'cross-origin-opener-policy': 'same-origin-allow-popups' } as const;

/** Gives everything below `/docs` this policy, and answers 404 to what is not for browsers. */
export function protectReference(instance: FastifyInstance, policy: string): void {
  instance.addHook('onRoute', (route) => {
    if (route.url !== '/docs' && !route.url.startsWith('/docs/')) return;
    const own = route.onRequest === undefined ? [] : [route.onRequest].flat();
    route.onRequest = [
      (request, reply, done) => {
        if (!isServed(request)) return done(new WireError('not_found'));
        reply.header('content-security-policy', policy);
        if (!request.url.includes('/oauth2-redirect.html')) reply.headers(ISOLATION);
        done();
      },
      ...own,
    ];
  });
}

/** By the name that the router has decoded, however it was spelled. */
function isServed({ params }: FastifyRequest): boolean {
  const { '*': file } = params as { '*'?: string };
  return file === undefined || SERVED.has(file);
}
