import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/**
 * One line a request, at debug. The pattern of the route and never the path: a path is where secrets are pasted
 * by mistake. Not even a hook where nobody listens, because it is paid for on every request.
 */
export function installAccessLog(instance: FastifyInstance, logger: Logger): void {
  if (!logger.isLevelEnabled('debug')) return;
  instance.addHook('onResponse', (request, reply, done) => {
    logger.debug(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    );
    done();
  });
}
