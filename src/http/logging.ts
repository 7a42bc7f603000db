import type { LoggerService } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { errorRecord, redact } from './errors/error-record.js';

/**
 * Writes one line for each request, at debug. Logs the pattern of the route and never the path, because people paste
 * secrets into paths by mistake. At a higher level there is not even a hook, because every request would pay for it.
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

/**
 * Writes Nest's own messages into the same log. Most of them go to debug: messages at the start interest only
 * developers.
 */
export function nestLogger(logger: Logger): LoggerService {
  const say =
    (level: 'trace' | 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      const context = typeof rest.at(-1) === 'string' ? { context: rest.at(-1) } : {};
      if (message instanceof Error) logger[level]({ ...context, error: errorRecord(message) }, 'error');
      else logger[level](context, redact(String(message)));
    };
  return {
    verbose: say('trace'),
    debug: say('trace'),
    log: say('debug'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('fatal'),
  };
}
