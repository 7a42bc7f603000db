import type { FastifyInstance, FastifyRequest } from 'fastify';
import { WireError } from '../errors/wire-error.js';

/** The files that the page loads. The folder of Swagger UI also has its package.json, source maps and other builds. */
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
 * The page opens a window in which a person signs in, and gets a message from it. So the page is isolated from the
 * windows of other sites, but not from its own. The window that comes back gets no such header: otherwise it could not
 * reach the page that opened it.
 */
const ISOLATION = { 'cross-origin-opener-policy': 'same-origin-allow-popups' } as const;

/** Sets this policy on everything below `/docs`, and answers 404 to files that browsers do not need. */
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

/** Checks the decoded name from the router, so that the spelling of the path does not matter. */
function isServed({ params }: FastifyRequest): boolean {
  const { '*': file } = params as { '*'?: string };
  return file === undefined || SERVED.has(file);
}
